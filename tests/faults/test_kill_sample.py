"""A sample of the sweeps: processes killed, paused and run twice at chosen steps.

``python -m tests.faults --full`` does the rest. Each test has a portal of its own, with
files, processes and a SQLite database, whatever database the other tests run on.
"""

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.db import connection

from tests.faults import sweep
from tests.faults.operations import OPERATIONS, Operation
from tests.faults.oracle import look, problems
from tests.faults.sweep import Step
from tests.faults.world import Portal
from tests.services.system import missing, require_program

KILLS = 5
OTHERS = 3
JOBS = [operation for operation in OPERATIONS if operation.is_job]
TYPICAL = [o for o in JOBS if o.name in {"store", "copy", "remove stored"}]
BY_NAME = {operation.name: operation for operation in OPERATIONS}


@pytest.fixture(scope="session")
def migrated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return sweep.migrate(tmp_path_factory.mktemp("migrated") / "world")


@pytest.fixture
def operation(request: pytest.FixtureRequest) -> Operation:
    assert isinstance(request.param, Operation)
    return request.param


@pytest.fixture
def portal(
    operation: Operation, tmp_path: Path, request: pytest.FixtureRequest
) -> Iterator[Portal]:
    if connection.vendor != "sqlite":
        pytest.skip("The faults have a database of their own; see the run on SQLite.")
    if sys.platform != "linux":
        pytest.skip("The faults are injected by strace, which only Linux has.")
    require_program("strace")
    _require_other_file_system(operation, tmp_path)
    migrated = request.getfixturevalue("migrated")
    with sweep.standing(tmp_path / "faults", operation, migrated) as portal:
        yield portal


def _require_other_file_system(operation: Operation, here: Path) -> None:
    other = sweep.OTHER_FILE_SYSTEM
    if not operation.across:
        return
    if not other.is_dir() or other.stat().st_dev == here.stat().st_dev:
        missing(f"{other} is not a file system of its own. Mount a tmpfs there.")


def name_of(operation: object) -> str:
    return getattr(operation, "name", "")


@pytest.mark.parametrize("operation", OPERATIONS, indirect=True, ids=name_of)
def test_a_kill_loses_nothing_and_the_work_is_finished(
    portal: Portal, operation: Operation
) -> None:
    chosen = sweep.spread(sweep.steps(portal, operation), KILLS)

    verdicts = [sweep.kill(portal, operation, step) for step in chosen]

    assert [(v.step, v.problems) for v in verdicts if v.problems] == []
    assert all(verdict.reached for verdict in verdicts)


@pytest.mark.parametrize(
    "operation",
    [BY_NAME[name] for name in ("store", "remove temporary", "expire")],
    indirect=True,
    ids=name_of,
)
def test_bytes_go_although_a_kill_came_before_their_unlink(
    portal: Portal, operation: Operation
) -> None:
    verdict = sweep.kill(portal, operation, Step("unlinkat", 1))

    assert (verdict.problems, verdict.reached) == ([], True)


@pytest.mark.parametrize("operation", TYPICAL, indirect=True, ids=name_of)
def test_a_second_kill_in_the_recovery_loses_nothing(
    portal: Portal, operation: Operation
) -> None:
    found = sweep.steps(portal, operation)
    late = found[: len(found) * 3 // 4]  # what comes after them, a recovery has not

    verdicts = [
        sweep.kill_twice(portal, operation, step) for step in sweep.spread(late, OTHERS)
    ]

    assert [(v.step, v.problems) for v in verdicts if v.problems] == []
    assert any(verdict.reached for verdict in verdicts)


@pytest.mark.parametrize("operation", JOBS, indirect=True, ids=name_of)
def test_an_attempt_that_slept_past_its_lease_changes_nothing(
    portal: Portal, operation: Operation
) -> None:
    found = sweep.pausable(sweep.steps(portal, operation))

    verdicts = [
        sweep.pause(portal, operation, step) for step in sweep.spread(found, OTHERS)
    ]

    assert [(v.step, v.problems) for v in verdicts if v.problems] == []
    assert any(verdict.reached for verdict in verdicts)


@pytest.mark.parametrize("operation", TYPICAL, indirect=True, ids=name_of)
def test_the_watchdog_makes_jobs_that_were_lost_with_their_queue(
    portal: Portal, operation: Operation
) -> None:
    found = sweep.steps(portal, operation)

    verdict = sweep.lose_jobs(portal, operation, found[len(found) // 2])

    assert verdict.problems == []
    assert verdict.reached


@pytest.mark.parametrize("operation", TYPICAL, indirect=True, ids=name_of)
def test_a_job_delivered_four_times_at_once_and_once_more_runs_once(
    portal: Portal, operation: Operation
) -> None:
    portal.run(f"ask for {operation.deed}")
    portal.world.deliver_again(3)

    portal.run_at_once(["work"] * 4)
    portal.world.deliver_again(1)
    portal.run("work")

    end = look(portal.world)
    asked = [row for row in end.rows["upload_job"] if row["kind"] == operation.deed]
    assert operation.end_problems(end) == []
    assert asked[-1]["attempts"] == 1


@pytest.mark.parametrize(
    ("operation", "call", "ends"),
    [(BY_NAME["store"], "linkat", "FD"), (BY_NAME["copy"], "renameat2", "SD")],
    indirect=["operation"],
    ids=name_of,
)
def test_a_job_that_kills_each_of_its_workers_fails_after_five(
    portal: Portal, operation: Operation, call: str, ends: str
) -> None:
    sweep.kill_always(portal, operation, Step(call, 1))

    end = look(portal.world)
    job = end.rows["upload_job"][-1]
    assert problems(end) == []
    assert (end.status, job["state"], job["attempts"]) == (ends, "failed", 5)


@pytest.mark.parametrize("operation", [BY_NAME["store"]], indirect=True, ids=name_of)
def test_a_job_whose_queue_row_was_lost_is_queued_again(
    portal: Portal, operation: Operation
) -> None:
    portal.run("ask for store")
    portal.world.lose_the_queue()

    sweep.recover(portal, operation)

    end = look(portal.world)
    assert operation.end_problems(end) == []
    assert [row["kind"] for row in end.rows["upload_job"]] == ["store", "verify"]


def test_a_sample_is_even_and_holds_both_ends() -> None:
    found = [Step("write", number) for number in range(1, 12)]

    assert [step.number for step in sweep.spread(found, 3)] == [1, 6, 11]
    assert sweep.spread(found[:2], 5) == found[:2]
