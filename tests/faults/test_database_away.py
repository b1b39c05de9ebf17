"""The web server while PostgreSQL is stopped, cut off or read-only.

The answer is a 503 that says when to come back: never a 500, never a wrong success.
"""

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.db import connection

from tests.faults import sweep
from tests.faults.databases import Postgresql
from tests.faults.oracle import look, problems
from tests.faults.web import Site, doors, files_url, open_site
from tests.faults.world import Portal, World
from tests.services import postgresql
from tests.services.postgresql import Server

pytestmark = pytest.mark.skipif(
    sys.platform != "linux", reason="the portal's programs are stopped by prctl"
)


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    if connection.vendor != "postgresql":
        pytest.skip("What PostgreSQL does is tried in the run on PostgreSQL.")
    with postgresql.own_server() as own:
        yield own


@pytest.fixture(scope="module")
def migrated(server: Server, tmp_path_factory: pytest.TempPathFactory) -> Postgresql:
    made = sweep.migrate(tmp_path_factory.mktemp("away") / "migrated", server.url)
    assert isinstance(made, Postgresql)
    return made


@pytest.fixture
def site(migrated: Postgresql, tmp_path: Path) -> Iterator[Site]:
    world = World(tmp_path / "away", tmp_path / "away-uploaded")
    world.take_database(migrated)
    world.more["ORPHAN_GRACE_HOURS"] = "0"
    with open_site(world) as site:
        yield site


def postgres(site: Site) -> Postgresql:
    assert isinstance(site.world.database, Postgresql)
    return site.world.database


def test_every_page_asks_to_come_back_while_the_server_is_down(
    site: Site, server: Server
) -> None:
    addresses = doors(site)
    before = {address: site.ask("GET", address).status for address in addresses}

    server.stop_at_once()
    down = {address: site.ask("GET", address) for address in addresses}
    server.start()

    assert set(before.values()) == {200}
    assert {a: got.status for a, got in down.items() if not got.asks_to_come_back} == {}
    assert {site.ask("GET", address).status for address in addresses} == {200}


def test_what_is_posted_while_the_server_is_down_is_not_called_done(
    site: Site, server: Server
) -> None:
    session = site.session()
    addresses = files_url(session)

    server.stop_at_once()
    sent = site.send_file(session["token"], addresses)
    server.start()

    assert sent.asks_to_come_back
    assert site.send_file(session["token"], addresses).status == 201


def test_connections_that_were_cut_between_requests_are_made_anew(site: Site) -> None:
    addresses = doors(site)
    assert {site.ask("GET", address).status for address in addresses} == {200}

    postgres(site).cut_connections()

    assert {site.ask("GET", address).status for address in addresses} == {200}


def test_a_read_only_database_is_read_and_takes_nothing(site: Site) -> None:
    session, before = site.session(), look(site.world)
    postgres(site).set_read_only(on=True)

    sent = site.send_file(session["token"], files_url(session))
    read = {address: site.ask("GET", address) for address in doors(site)}

    assert sent.asks_to_come_back, sent.body
    # A file is not given out where that cannot be logged.
    refused = [address for address, got in read.items() if got.status != 200]
    assert [address.split("/")[1] for address in refused] == ["files"]
    assert all(read[address].asks_to_come_back for address in refused)
    assert look(site.world).rows == before.rows


def test_a_store_asked_of_a_read_only_database_is_named_as_not_done(
    site: Site,
) -> None:
    postgres(site).set_read_only(on=True)

    asked = site.store()

    assert asked.status in {302, 503}, asked.body
    assert site.world.database.rows("upload_job") == []


def test_bytes_of_an_upload_that_lost_its_database_go_with_the_sweep(
    site: Site,
) -> None:
    session = site.session()
    postgres(site).set_read_only(on=True)
    site.send_file(session["token"], files_url(session))
    postgres(site).set_read_only(on=False)

    with Portal(site.world) as portal:
        portal.run("reconcile")

    end = look(site.world)
    assert (end.orphans(), end.staged, problems(end)) == ([], [], [])
