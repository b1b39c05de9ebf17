"""SQLite held by another writer: requests wait for it, and do not wait for ever."""

import sqlite3
import sys
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest
from django.db import connection

from tests.faults import sweep
from tests.faults.databases import Sqlite
from tests.faults.oracle import look
from tests.faults.web import Answer, Site, doors, files_url, open_site
from tests.faults.world import World
from tests.journey.programs import wait_until

pytestmark = pytest.mark.skipif(
    sys.platform != "linux", reason="the portal's programs are stopped by prctl"
)


@pytest.fixture(scope="module")
def migrated(tmp_path_factory: pytest.TempPathFactory) -> Sqlite:
    if connection.vendor != "sqlite":
        pytest.skip("What SQLite does is tried in the run on SQLite.")
    made = sweep.migrate(tmp_path_factory.mktemp("locked") / "migrated")
    assert isinstance(made, Sqlite)
    return made


def world_of(tmp_path: Path, migrated: Sqlite, wait_seconds: int) -> World:
    world = World(tmp_path / "locked", tmp_path / "locked-uploaded")
    world.take_database(migrated)
    world.more["SQLITE_WAIT_SECONDS"] = str(wait_seconds)
    return world


@contextmanager
def held(site: Site) -> Iterator[None]:
    """Hold the database as another writer does, until the block ends."""
    path = site.world.database_path
    with closing(sqlite3.connect(path, isolation_level=None)) as writer:
        writer.execute("BEGIN EXCLUSIVE")
        yield
        writer.execute("ROLLBACK")


def test_an_upload_waits_for_another_writer(tmp_path: Path, migrated: Sqlite) -> None:
    with open_site(world_of(tmp_path, migrated, 20)) as site:
        session, before = site.session(), len(look(site.world).temp)
        answers: list[Answer] = []

        def send() -> None:
            answers.append(site.send_file(session["token"], files_url(session)))

        sender = threading.Thread(target=send)
        with held(site):
            sender.start()
            # Its bytes are placed, and only its row is still to be written.
            wait_until(lambda: len(look(site.world).temp) > before, 15, "placed bytes")
            assert answers == []
        sender.join()

    assert [answer.status for answer in answers] == [201]


def test_a_writer_that_stays_is_told_and_no_page_fails(
    tmp_path: Path, migrated: Sqlite
) -> None:
    with open_site(world_of(tmp_path, migrated, 1)) as site:
        session, before = site.session(), look(site.world)
        with held(site):
            sent = site.send_file(session["token"], files_url(session))
            asked = site.store()
            read = {address: site.ask("GET", address).status for address in doors(site)}
        after = look(site.world)

    assert sent.asks_to_come_back, sent.body
    assert asked.status in {302, 503}
    assert set(read.values()) <= {200, 503}
    assert after.rows == before.rows
