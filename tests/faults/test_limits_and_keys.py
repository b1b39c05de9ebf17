"""Jobs under limits of the process, a rotated key, a database older than the disk."""

import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.db import connection

from tests.codebase import ROOT
from tests.faults import sweep
from tests.faults.databases import Postgresql, Sqlite
from tests.faults.operations import OPERATIONS
from tests.faults.oracle import look, problems
from tests.faults.world import Portal, World
from tests.services.system import require_program

BY_NAME = {operation.name: operation for operation in OPERATIONS}
STORE, COPY = BY_NAME["store"], BY_NAME["copy"]
pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="uses prlimit")


@pytest.fixture(scope="module")
def migrated(tmp_path_factory: pytest.TempPathFactory) -> Sqlite | Postgresql:
    if connection.vendor != "sqlite":
        pytest.skip("Needs a database that is a file; see the run on SQLite.")
    return sweep.migrate(tmp_path_factory.mktemp("limits") / "migrated")


@pytest.fixture
def portal(
    request: pytest.FixtureRequest, tmp_path: Path, migrated: Sqlite
) -> Iterator[Portal]:
    operation = getattr(request, "param", STORE)
    with sweep.standing(tmp_path / "faults", operation, migrated) as portal:
        yield portal


def run_limited(portal: Portal, deed: str, limit: str) -> str:
    """Do the deed in a process that has this limit from its start; return its end."""
    process = portal.start(deed)
    subprocess.run(["prlimit", f"--pid={process}", limit], check=True)
    portal.go(process)
    return portal.wait(process)


@pytest.mark.parametrize(
    ("portal", "operation"), [(STORE, STORE), (COPY, COPY)], indirect=["portal"]
)
def test_sixty_four_descriptors_are_enough_for_a_job(
    portal: Portal, operation: sweep.Operation
) -> None:
    require_program("prlimit")

    assert run_limited(portal, operation.deed, "--nofile=64") == "0"

    assert operation.end_problems(look(portal.world)) == []


@pytest.mark.parametrize(
    ("portal", "operation"), [(STORE, STORE), (COPY, COPY)], indirect=["portal"]
)
@pytest.mark.parametrize("limit", ["--nofile=8", "--as=1000000", "--fsize=4096"])
def test_a_job_that_hits_a_limit_fails_cleanly_and_is_done_by_another_worker(
    portal: Portal, operation: sweep.Operation, limit: str
) -> None:
    require_program("prlimit")

    run_limited(portal, operation.deed, limit)
    at_once = problems(look(portal.world))
    sweep.recover(portal, operation)

    assert at_once == []
    assert operation.end_problems(look(portal.world)) == []


def test_a_job_queued_before_the_secret_key_was_rotated_is_done(portal: Portal) -> None:
    portal.run("ask for store")
    portal.world.secret_key = "another key of more than fifty characters, to be sure"

    with Portal(portal.world) as restarted:
        sweep.recover(restarted, STORE)

    assert STORE.end_problems(look(portal.world)) == []


def reconciled(world: World) -> tuple[int, str]:
    """Return exit code and output of the command, for which nothing is too fresh."""
    ended = subprocess.run(
        [sys.executable, "manage.py", "reconcile_storage"],
        cwd=ROOT,
        env=world.environment() | {"ORPHAN_GRACE_HOURS": "0"},
        capture_output=True,
        text=True,
        check=False,
    )
    return ended.returncode, ended.stdout + ended.stderr


@pytest.mark.parametrize("deed", ["store", "remove"])
def test_a_database_older_than_the_disk_costs_no_byte_and_is_told(
    portal: Portal, deed: str
) -> None:
    world = portal.world
    backup = world.root / "backup.sqlite3"
    shutil.copy(world.database_path, backup)
    portal.run(deed)
    for tail in ("-wal", "-shm"):
        Path(f"{world.database_path}{tail}").unlink(missing_ok=True)
    shutil.copy(backup, world.database_path)
    before = look(world)

    code, said = reconciled(world)

    after = look(world)
    missing = [row for place, row in after.files() if place == "temp"]
    assert code == 1
    assert (after.temp, after.uploaded) == (before.temp, before.uploaded)
    assert all(row["uuid"] in said.replace("-", "") for row in missing)
    assert all(key in said for key in after.uploaded)
