"""A sample of calls that fail; ``python -m tests.faults --full`` makes thousands."""

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.db import connection

from tests.faults import sweep
from tests.faults.operations import OPERATIONS, Operation
from tests.faults.sweep import Step
from tests.faults.world import Portal
from tests.services.system import require_program

FAILURES = 4
EACH = [(o, error) for o in OPERATIONS for error in sweep.DISK_ERRORS]


@pytest.fixture(scope="session")
def migrated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return sweep.migrate(tmp_path_factory.mktemp("migrated-for-errors") / "world")


@pytest.fixture
def portal(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Portal]:
    if connection.vendor != "sqlite":
        pytest.skip("The faults have a database of their own; see the run on SQLite.")
    if sys.platform != "linux":
        pytest.skip("The calls are made to fail by strace, which only Linux has.")
    require_program("strace")
    operation = request.getfixturevalue("operation")
    migrated = request.getfixturevalue("migrated")
    with sweep.standing(tmp_path / "sick", operation, migrated) as portal:
        yield portal


def name_of(value: object) -> str:
    return getattr(value, "name", str(value))


@pytest.mark.parametrize(("operation", "error"), EACH, ids=name_of)
def test_a_call_that_fails_loses_nothing_and_the_work_is_finished(
    portal: Portal, operation: Operation, error: str
) -> None:
    chosen = sweep.spread(sweep.steps(portal, operation), FAILURES)

    verdicts = [sweep.fail(portal, operation, step, error) for step in chosen]

    assert [(v.step, v.problems) for v in verdicts if v.problems] == []


@pytest.mark.parametrize("operation", OPERATIONS[1:4], ids=name_of)
def test_a_file_that_cannot_be_read_once_is_read_again(
    portal: Portal, operation: Operation
) -> None:
    read = sweep.steps(portal, operation, ("openat", "read", "close"))
    last: dict[str, Step] = {step.call: step for step in read[: len(read) * 9 // 10]}

    verdicts = [sweep.fail(portal, operation, at, "EIO") for at in last.values()]

    assert [(v.step, v.problems) for v in verdicts if v.problems] == []
