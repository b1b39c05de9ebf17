"""PostgreSQL is lost in the middle of the work: nothing is lost, and the work ends."""

import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.db import connection

from tests.faults import disconnect, sweep
from tests.faults.databases import Postgresql, Sqlite
from tests.faults.operations import OPERATIONS, Operation
from tests.faults.oracle import look
from tests.faults.sweep import Step, Verdict
from tests.faults.world import Portal
from tests.services.system import require_program

CUTS = 3
BY_NAME = {operation.name: operation for operation in OPERATIONS}
pytestmark = pytest.mark.skipif(
    sys.platform != "linux", reason="steps are found by strace, which only Linux has"
)


@pytest.fixture(scope="module")
def migrated(
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Sqlite | Postgresql]:
    if connection.vendor != "postgresql":
        pytest.skip("What PostgreSQL does is tried in the run on PostgreSQL.")
    require_program("strace")
    folder = tmp_path_factory.mktemp("migrated")
    made = sweep.migrate(folder / "world", os.environ["TEST_DATABASE_URL"])
    yield made
    made.drop()


@pytest.fixture
def operation(request: pytest.FixtureRequest) -> Operation:
    return BY_NAME[request.param]


@pytest.fixture
def portal(
    operation: Operation, migrated: Sqlite | Postgresql, tmp_path: Path
) -> Iterator[Portal]:
    with sweep.standing(tmp_path / "faults", operation, migrated) as portal:
        yield portal


def wrong(verdicts: list[Verdict]) -> list[object]:
    return [(v.step, v.problems) for v in verdicts if v.problems]


@pytest.mark.parametrize("operation", BY_NAME, indirect=True)
def test_a_lost_connection_loses_nothing_and_the_work_is_finished(
    portal: Portal, operation: Operation
) -> None:
    found = sweep.steps(portal, operation)
    statements = [step for step in found if step.call == "sendto"]

    verdicts = [
        disconnect.cut(portal, operation, step)
        for step in [*sweep.spread(statements, CUTS), *sweep.spread(found, 2)]
    ]

    assert wrong(verdicts) == []
    assert all(verdict.reached for verdict in verdicts)


@pytest.mark.parametrize(
    ("operation", "step"),
    [("store", Step("linkat", 2)), ("copy", Step("renameat2", 2))],
    indirect=["operation"],
)
def test_a_job_that_lost_its_connection_waits_for_no_lease(
    portal: Portal, operation: Operation, step: Step
) -> None:
    database = portal.world.database
    assert isinstance(database, Postgresql)

    verdict = disconnect.harm(portal, operation, step, during=database.cut_connections)

    job = look(portal.world).rows["upload_job"][-1]
    assert verdict.reached
    assert (job["state"], job["attempts"], job["lease_until"]) == ("queued", 1, None)
