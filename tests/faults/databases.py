"""The database of a world, read and spoilt past the product: SQLite or PostgreSQL.

``copied`` gives a world a database of its own, ``keep`` and ``restore`` put it back as
it was. Rows come out alike from both: identifiers as hex, JSON as text.
"""

import json
import secrets
import shutil
import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any, Protocol
from uuid import UUID

type Row = dict[str, Any]


class Database(Protocol):
    """What a world does with its database."""

    @property
    def url(self) -> str:
        """What the portal gets as its DATABASE_URL."""

    def run(self, statements: Iterable[str]) -> None:
        """Run statements in one transaction, and commit it."""

    def rows(self, table: str) -> list[Row]: ...

    def damage(self) -> str:
        """Return what a check of the whole database found, or nothing."""

    def earlier(self, column: str, ago: str) -> str:
        """Return the SQL of a time that is ``ago`` (``1 day``) before a column's."""

    def keep(self) -> None: ...

    def restore(self) -> None: ...

    def drop(self) -> None: ...


class Sqlite:
    """A file among the world's data, which the world keeps and restores with it."""

    def __init__(self, path: Path) -> None:
        self.path = path

    @property
    def url(self) -> str:
        return f"sqlite:///{self.path}"

    @contextmanager
    def _open(self) -> Iterator[sqlite3.Connection]:
        with closing(sqlite3.connect(self.path, timeout=30)) as connection:
            connection.row_factory = sqlite3.Row
            connection.execute("PRAGMA foreign_keys = ON")
            with connection:
                yield connection

    def run(self, statements: Iterable[str]) -> None:
        with self._open() as connection:
            for statement in statements:
                connection.execute(statement)

    def rows(self, table: str) -> list[Row]:
        with self._open() as connection:
            found = connection.execute(f"SELECT * FROM {table}")  # noqa: S608
            return [dict(row) for row in found]

    def damage(self) -> str:
        with self._open() as connection:
            said = connection.execute("PRAGMA integrity_check").fetchone()[0]
            lost = connection.execute("PRAGMA foreign_key_check").fetchall()
        found = [said] if said != "ok" else []
        return ", ".join([*found, *(f"{row[0]} names no {row[2]}" for row in lost)])

    def earlier(self, column: str, ago: str) -> str:
        return f"strftime('%Y-%m-%d %H:%M:%f', {column}, '-{ago}')"

    def keep(self) -> None:
        """Do nothing: the file lies among the world's data."""

    restore = drop = keep

    def copied(self, path: Path) -> "Sqlite":
        shutil.copy(self.path, path)
        return Sqlite(path)


class Postgresql:
    """A database of a server that runs; ``server_url`` is that of its first one."""

    def __init__(self, server_url: str, name: str = "") -> None:
        self.server_url = server_url
        self.name = name or f"faults_{secrets.token_hex(6)}"

    @classmethod
    def new(cls, server_url: str) -> "Postgresql":
        database = cls(server_url)
        database._on_server(f"CREATE DATABASE {database.name}")
        return database

    @property
    def url(self) -> str:
        start, _, options = self.server_url.partition("?")
        return f"{start.rpartition('/')[0]}/{self.name}?{options}"

    def _on_server(self, *statements: str) -> None:
        import psycopg

        with psycopg.connect(self.server_url, autocommit=True) as connection:
            for statement in statements:
                connection.execute(statement)

    @contextmanager
    def _open(self) -> Iterator[Any]:
        import psycopg
        from psycopg.rows import dict_row

        with psycopg.connect(self.url, row_factory=dict_row) as connection:
            yield connection

    def run(self, statements: Iterable[str]) -> None:
        with self._open() as connection:
            for statement in statements:
                connection.execute(statement)

    def rows(self, table: str) -> list[Row]:
        with self._open() as connection:
            found = connection.execute(f"SELECT * FROM {table} ORDER BY 1")  # noqa: S608
            return [{k: _plain(v) for k, v in row.items()} for row in found]

    def damage(self) -> str:
        return ""  # a kill of a client is nothing to the server

    def earlier(self, column: str, ago: str) -> str:
        return f"{column} - interval '{ago}'"

    def keep(self) -> None:
        self._on_server(f"CREATE DATABASE {self.name}_kept TEMPLATE {self.name}")

    def restore(self) -> None:
        self._on_server(
            f"DROP DATABASE {self.name} WITH (FORCE)",
            f"CREATE DATABASE {self.name} TEMPLATE {self.name}_kept",
        )

    def drop(self) -> None:
        self._on_server(
            f"DROP DATABASE IF EXISTS {self.name} WITH (FORCE)",
            f"DROP DATABASE IF EXISTS {self.name}_kept",
        )

    def copied(self) -> "Postgresql":
        copy = Postgresql(self.server_url)
        self._on_server(f"CREATE DATABASE {copy.name} TEMPLATE {self.name}")
        return copy

    def cut_connections(self) -> None:
        """End every connection to the database but this one, as a fail-over does."""
        self._on_server(
            "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity "  # noqa: S608
            f"WHERE datname = '{self.name}'"
        )

    def set_read_only(self, *, on: bool) -> None:
        """Have the server refuse every write from now on, or take them again."""
        word = "on" if on else "off"
        self._on_server(
            f"ALTER DATABASE {self.name} SET default_transaction_read_only = {word}"
        )
        self.cut_connections()


def _plain(value: Any) -> Any:
    """Return a value as SQLite would have kept it, where checks look at it."""
    if isinstance(value, UUID):
        return value.hex
    return json.dumps(value) if isinstance(value, dict) else value
