"""A sample of power cuts; ``python -m tests.faults --full`` makes hundreds."""

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.db import connection

from tests.faults import power, sweep
from tests.faults.mounts import require_mounting
from tests.faults.operations import OPERATIONS, Operation
from tests.faults.power import THE_END, Disk
from tests.services.system import require_program

CUTS = 3
RECEIVE, IN_PIECES = OPERATIONS[:2]


@pytest.fixture(scope="session")
def migrated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return sweep.migrate(tmp_path_factory.mktemp("migrated-for-power") / "world")


@pytest.fixture
def disk(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Disk]:
    if connection.vendor != "sqlite":
        pytest.skip("The faults have a database of their own; see the run on SQLite.")
    if sys.platform != "linux":
        pytest.skip("The disk is cut off by strace and mount, which only Linux has.")
    require_program("strace")
    require_mounting()
    migrated = request.getfixturevalue("migrated")
    with power.standing(tmp_path / "power", request.param, migrated) as disk:
        yield disk


def name_of(operation: Operation) -> str:
    return operation.name


@pytest.mark.parametrize("disk", power.OPERATIONS, indirect=True, ids=name_of)
def test_a_power_cut_loses_nothing_and_the_work_is_finished(disk: Disk) -> None:
    chosen = sweep.spread(disk.steps(), CUTS)

    verdicts = [disk.cut(step) for step in chosen]

    assert [(v.step, v.problems) for v in verdicts if v.problems] == []
    assert chosen[-1] == THE_END
    assert all(verdict.reached for verdict in verdicts)


@pytest.mark.parametrize("disk", [RECEIVE], indirect=True, ids=name_of)
def test_a_portal_that_never_waits_for_the_disk_is_found_out(disk: Disk) -> None:
    verdict = disk.cut(THE_END, "receive carelessly")

    assert "does not point at its full bytes" in verdict.problems[0]


@pytest.mark.parametrize("disk", [IN_PIECES], indirect=True, ids=name_of)
def test_an_offset_told_before_its_bytes_are_on_the_disk_is_found_out(
    disk: Disk,
) -> None:
    verdict = disk.cut(THE_END, "receive in pieces carelessly")

    assert verdict.problems
