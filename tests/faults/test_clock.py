"""A clock that was wrong for a while: nothing expires early, and nothing stays stuck.

libfaketime gives the portal's processes a clock of the test's own, which a file sets
anew while they run.
"""

import os
import signal
import sys
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from django.db import connection
from django.utils import timezone
from django_q.models import Schedule

from tests.faults import sweep
from tests.faults.databases import Sqlite
from tests.faults.operations import OPERATIONS
from tests.faults.oracle import look
from tests.faults.sweep import Step
from tests.faults.world import Portal, World
from tests.services.system import missing, require_program
from upload import schedules

LIBRARIES = ("/usr/lib", "/usr/local/lib")
STEPS = ["+1h", "-1h", "+1d", "-1d"]
STORE = next(o for o in OPERATIONS if o.name == "store")
on_linux = pytest.mark.skipif(sys.platform != "linux", reason="preloads libfaketime")


def libfaketime() -> str:
    require_program("faketime")
    for root in LIBRARIES:
        if found := sorted(Path(root).rglob("libfaketimeMT.so.1")):
            return str(found[0])
    missing("libfaketimeMT.so.1 was not found. Run tests/services/install.sh.")
    raise AssertionError


@pytest.fixture(scope="module")
def migrated(tmp_path_factory: pytest.TempPathFactory) -> Sqlite:
    if connection.vendor != "sqlite":
        pytest.skip("The clock is the portal's, not the database's; see SQLite's run.")
    made = sweep.migrate(tmp_path_factory.mktemp("clock") / "migrated")
    assert isinstance(made, Sqlite)
    return made


@pytest.fixture
def portal(tmp_path: Path, migrated: Sqlite) -> Iterator[Portal]:
    world = World(tmp_path / "clock", tmp_path / "clock-uploaded")
    world.take_database(migrated)
    world.more = {
        "LD_PRELOAD": libfaketime(),
        "FAKETIME_TIMESTAMP_FILE": str(tmp_path / "time"),
        "FAKETIME_NO_CACHE": "1",
    }
    set_clock(world, "+0")
    with Portal(world) as portal:
        yield portal


def set_clock(world: World, step: str) -> None:
    Path(world.more["FAKETIME_TIMESTAMP_FILE"]).write_text(step)


def status(portal: Portal) -> str:
    return look(portal.world).status


@on_linux
@pytest.mark.parametrize("step", ["+1d", "-1h", "-23h"])
def test_a_session_filled_while_the_clock_was_wrong_does_not_expire_early(
    portal: Portal, step: str
) -> None:
    """It lives 24 hours, so that a step of less takes no more than the step from it."""
    set_clock(portal.world, step)
    portal.run("upload")
    set_clock(portal.world, "+0")

    portal.run("expire")

    assert status(portal) == "UG"
    assert STORE.end_problems(look(portal.world))[0].startswith("it ended as")


@on_linux
@pytest.mark.parametrize("step", STEPS)
def test_a_job_killed_while_the_clock_was_wrong_is_done_once_it_is_right(
    portal: Portal, step: str
) -> None:
    require_program("strace")
    portal.run("upload")
    set_clock(portal.world, step)
    with portal.traced("store", *sweep.injecting(Step("linkat", 2), "KILL")) as process:
        assert portal.wait(process) == "-9"
    set_clock(portal.world, "+2m" if step.startswith("+") else "+0")

    # Two sweeps, as the worker's supervisor makes within a minute.
    portal.run("recover")
    portal.run("recover")

    assert STORE.end_problems(look(portal.world)) == []


@on_linux
@pytest.mark.parametrize("step", STEPS)
def test_a_job_queued_while_the_clock_was_wrong_is_done_once_it_is_right(
    portal: Portal, step: str
) -> None:
    portal.run("upload")
    set_clock(portal.world, step)
    portal.run("ask for store")
    set_clock(portal.world, "+0")

    portal.run("recover")

    assert STORE.end_problems(look(portal.world)) == []


@on_linux
@pytest.mark.parametrize("step", STEPS)
def test_an_upload_over_a_step_of_the_clock_is_kept(portal: Portal, step: str) -> None:
    portal.run("open")
    with portal.traced(
        "receive", *sweep.injecting(Step("fsync", 1), "STOP")
    ) as process:
        assert portal.wait(process) == "stopped"
        set_clock(portal.world, step)
        portal.run("expire")
        set_clock(portal.world, "+0")
        os.kill(process, signal.SIGCONT)
        portal.wait(process)

    view = look(portal.world)
    assert (view.status, len(view.acknowledged)) in {("UG", 1), ("EX", 0)}


@pytest.mark.django_db
def test_a_schedule_that_a_wrong_clock_put_off_runs_now() -> None:
    schedules.sync()
    Schedule.objects.update(next_run=timezone.now() + timedelta(days=3))

    assert schedules.mend_times() == len(schedules.PLANNED)

    assert not Schedule.objects.filter(next_run__gt=timezone.now()).exists()
    assert schedules.mend_times() == 0
