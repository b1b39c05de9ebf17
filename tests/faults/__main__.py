"""Harm every operation at its steps: ``python -m tests.faults [--full] [NAME …]``.

Without ``--full`` a sample is taken, with it every step; ``--seconds`` ends a long run
early, having drawn its points evenly. Prints one table and what went wrong, and ends
with 1 where anything did. Needs strace and the right to trace one's own processes.
"""

import argparse
import random
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from tests.faults import sweep
from tests.faults.operations import OPERATIONS, Operation
from tests.faults.sweep import Step, Verdict
from tests.faults.world import Portal

SIDE_BY_SIDE = 2
SAMPLE = 5

type Harm = Callable[[Portal, Operation, Step], Verdict]


@dataclass
class Tally:
    """The counts of one line of the table."""

    operation: str
    harm: str
    points: int
    tried: int = 0
    reached: int = 0
    orphans: int = 0
    wrong: list[str] = field(default_factory=list)

    def add(self, verdict: Verdict) -> None:
        self.tried += 1
        self.reached += verdict.reached
        self.orphans += bool(verdict.orphans)
        at = f"{self.operation}, {self.harm} at {verdict.step.call}"
        self.wrong += [
            f"{at} {verdict.step.number}: {problem}" for problem in verdict.problems
        ]


def main(arguments: list[str]) -> int:
    options = _parser().parse_args(arguments)
    chosen = [o for o in OPERATIONS if not options.names or o.name in options.names]
    ends_at = time.monotonic() + options.seconds
    tallies: list[Tally] = []
    with tempfile.TemporaryDirectory(prefix="muniment-faults-") as folder:
        migrated = sweep.migrate(Path(folder) / "migrated")
        for index, operation in enumerate(chosen):
            left = (ends_at - time.monotonic()) / (len(chosen) - index)
            run = Run(Path(folder), migrated, operation, time.monotonic() + left)
            tallies += run.all(full=options.full)
    sys.stdout.write(table(tallies))
    return 1 if any(tally.wrong for tally in tallies) else 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tests.faults")
    parser.add_argument("--full", action="store_true", help="every step")
    parser.add_argument("--seconds", type=float, default=3600, help="end after so long")
    parser.add_argument("names", nargs="*", help="operations, for example store")
    return parser


@dataclass(frozen=True)
class Run:
    """All harms of one operation, on two worlds side by side."""

    folder: Path
    migrated: Path
    operation: Operation
    ends_at: float

    def all(self, *, full: bool) -> Iterable[Tally]:
        name = self.operation.name.replace(" ", "-")
        with sweep.standing(
            self.folder / name, self.operation, self.migrated
        ) as portal:
            found = sweep.steps(portal, self.operation)
        work = list(self._work(found, full=full))
        tallies = {harm: Tally(self.operation.name, harm, 0) for harm, _do, _at in work}
        for harm, _do, _at in work:
            tallies[harm].points += 1
        # Every part of the work is drawn evenly, however early the run has to end.
        random.Random(len(work)).shuffle(work)
        with ThreadPoolExecutor(SIDE_BY_SIDE) as pool:
            parts = [work[i::SIDE_BY_SIDE] for i in range(SIDE_BY_SIDE)]
            sides = pool.map(self._side, range(SIDE_BY_SIDE), parts)
            for harm, verdict in (pair for side in sides for pair in side):
                tallies[harm].add(verdict)
        return tallies.values()

    def _work(
        self, found: list[Step], *, full: bool
    ) -> Iterator[tuple[str, Harm, Step]]:
        take = (lambda steps: steps) if full else partial(sweep.spread, count=SAMPLE)
        yield from (("kill", sweep.kill, step) for step in take(found))
        if not self.operation.is_job:
            return
        yield from (("kill twice", sweep.kill_twice, step) for step in take(found))
        yield from (("lose jobs", sweep.lose_jobs, step) for step in take(found))
        yield from (
            ("pause", sweep.pause, step) for step in take(sweep.pausable(found))
        )

    def _side(
        self, side: int, work: list[tuple[str, Harm, Step]]
    ) -> list[tuple[str, Verdict]]:
        name = f"{self.operation.name.replace(' ', '-')}-{side}"
        done = []
        with sweep.standing(
            self.folder / name, self.operation, self.migrated
        ) as portal:
            for harm, do, step in work:
                if time.monotonic() > self.ends_at:
                    break
                done.append((harm, do(portal, self.operation, step)))
        return done


def table(tallies: list[Tally]) -> str:
    """Return the counts as aligned text, a total, and every problem on its own line.

    ``reached`` counts the points at which the harm was done; ``orphans`` those after
    which bytes without a row were left to the sweep.
    """
    line = "{:<18}{:<11}{:>7}{:>7}{:>9}{:>9}{:>7}\n".format
    text = line("operation", "harm", "points", "tried", "reached", "orphans", "wrong")
    for t in tallies:
        counts = (t.points, t.tried, t.reached, t.orphans, len(t.wrong))
        text += line(t.operation, t.harm, *counts)
    text += f"{sum(t.reached for t in tallies)} points were harmed.\n"
    return text + "".join(f"{sentence}\n" for t in tallies for sentence in t.wrong)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
