"""A sample of contended starts; ``python -m tests.faults contended`` makes more."""

import os
from pathlib import Path

from tests.faults import contended, sweep

ROUNDS = 50


def test_of_three_callers_one_wins_and_of_two_workers_one_runs_it(
    tmp_path: Path,
) -> None:
    migrated = sweep.migrate(
        tmp_path / "migrated", os.environ.get("TEST_DATABASE_URL", "")
    )

    counts = contended.contend(tmp_path / "contended", migrated, ROUNDS, 600)

    migrated.drop()
    assert counts.wrong == []
    assert (counts.winners, counts.executions) == (ROUNDS, ROUNDS)
    assert counts.told == ROUNDS * (contended.CALLERS - 1)
