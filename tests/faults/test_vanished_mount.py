"""A destination that vanishes within a copy, is empty for a while, and comes back."""

import os
import signal
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.db import connection

from tests.faults import oracle, sweep
from tests.faults.mounts import detach, make_image, mounted, require_mounting
from tests.faults.operations import OPERATIONS
from tests.faults.sweep import Step
from tests.faults.world import Portal, World
from tests.services.system import require_program

COPY = next(operation for operation in OPERATIONS if operation.name == "copy")
DISK_MIB = 32


@pytest.fixture
def image(tmp_path: Path) -> Path:
    if connection.vendor != "sqlite":
        pytest.skip("The faults have a database of their own; see the run on SQLite.")
    if sys.platform != "linux":
        pytest.skip("The mount is taken away as only Linux can.")
    require_program("strace")
    require_mounting()
    make_image(tmp_path / "destination.img", DISK_MIB)
    return tmp_path / "destination.img"


@pytest.fixture
def portal(image: Path, tmp_path: Path) -> Iterator[Portal]:
    """Yield a portal with stored files whose destination is not mounted."""
    world = World(tmp_path / "world", tmp_path / "world" / "uploaded")
    world.destination.mkdir(parents=True)
    with Portal(world) as portal:
        portal.run("migrate")
        with mounted(image, world.destination):
            portal.run(COPY.before)
        yield portal


@pytest.mark.parametrize("step", [Step("fsync", 1), Step("renameat2", 1)], ids=str)
def test_a_destination_that_vanishes_gets_its_files_when_it_is_back(
    portal: Portal, image: Path, step: Step
) -> None:
    bare = portal.world.destination
    with mounted(image, bare):
        lose_it_at(portal, step)

    assert list(bare.iterdir()) == []
    portal.world.let_a_day_pass()
    portal.run("recover")
    assert (list(bare.iterdir()), oracle.look(portal.world).status) == ([], "SD")
    with mounted(image, bare):
        sweep.recover(portal, COPY)
        end = oracle.look(portal.world)
    assert COPY.is_done(end)
    assert oracle.problems(end) == []


def lose_it_at(portal: Portal, step: Step) -> None:
    """Take the destination away while the copy stands still; let the copy go on."""
    with portal.traced(COPY.deed, *sweep.injecting(step, "STOP")) as process:
        assert portal.wait(process) == "stopped"
        detach(portal.world.destination)
        os.kill(process, signal.SIGCONT)
        portal.wait(process)
