"""The open database as it was, beside what becomes of it: both asked in one run."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from django.db import connection


class Copied:
    """A copy of the open database, gone with the block."""

    def __init__(self) -> None:
        self._open = str(connection.settings_dict["NAME"])
        self._copy = f"{self._open}_copied"

    def __enter__(self) -> "Copied":
        with connection.cursor() as cursor:
            if connection.vendor == "sqlite":
                cursor.execute("VACUUM INTO %s", [self._copy])
            else:
                cursor.execute(
                    f'CREATE DATABASE "{self._copy}" TEMPLATE "{self._open}"'
                )
        return self

    @contextmanager
    def asked(self) -> Iterator[None]:
        """Let whoever asks the database in this block ask the copy."""
        _turn_to(self._copy)
        try:
            yield
        finally:
            _turn_to(self._open)

    def __exit__(self, *error: object) -> None:
        if connection.vendor == "sqlite":
            for end in ("", "-wal", "-shm"):
                Path(f"{self._copy}{end}").unlink(missing_ok=True)
        else:
            with connection.cursor() as cursor:
                cursor.execute(f'DROP DATABASE "{self._copy}"')


def _turn_to(name: str) -> None:
    connection.close()
    connection.settings_dict["NAME"] = name
