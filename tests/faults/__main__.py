"""Harm every operation at its steps: ``python -m tests.faults [--full] [NAME …]``.

Without ``--full`` a sample is taken, with it every step; ``--seconds`` ends a long run
early, having drawn its points evenly; ``--postgresql`` does it on a PostgreSQL of its
own instead of SQLite, without the power cuts. Prints one table and what went wrong, and
ends with 1 where anything did. Needs strace and the right to trace one's own processes.
``contended`` instead of names is a run of its own: see ``tests.faults.contended``.
"""

import argparse
import random
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from tests.faults import contended, disconnect, power, sweep
from tests.faults.databases import Postgresql, Sqlite
from tests.faults.operations import OPERATIONS, Operation
from tests.faults.sweep import Step, Verdict
from tests.faults.world import Portal
from tests.services import postgresql

SIDE_BY_SIDE = 2
SAMPLE = 5
MOST_CUTS = 100
MOST_FAILURES = 300
HEADER = ("operation", "harm", "points", "tried", "reached", "orphans", "wrong")

type Harm = Callable[[Portal, Operation, Step], Verdict]


@dataclass
class Tally:
    """One line of the table.

    ``reached`` counts the points at which the harm was done; ``orphans`` those after
    which bytes without a row were left to the sweep.
    """

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

    def cells(self) -> tuple[object, ...]:
        counts = (self.points, self.tried, self.reached, self.orphans, len(self.wrong))
        return self.operation, self.harm, *counts


def main(arguments: list[str]) -> int:
    if arguments[:1] == ["contended"]:
        return contended.main(arguments[1:])
    options = _parser().parse_args(arguments)
    chosen = [o for o in OPERATIONS if not options.names or o.name in options.names]
    ends_at = time.monotonic() + options.seconds
    tallies: list[Tally] = []
    show(HEADER)
    with ExitStack() as stack:
        prefix = "muniment-faults-"
        folder = stack.enter_context(tempfile.TemporaryDirectory(prefix=prefix))
        server = stack.enter_context(postgresql.server()) if options.postgresql else ""
        migrated = sweep.migrate(Path(folder) / "migrated", server)
        for index, operation in enumerate(chosen):
            left = (ends_at - time.monotonic()) / (len(chosen) - index)
            run = Run(Path(folder), migrated, operation, time.monotonic() + left)
            cuts = list(run.power(full=options.full, ends_at=run.ends_at - left / 2))
            for tally in (*cuts, *run.all(full=options.full)):
                show(tally.cells())
                tallies.append(tally)
    return conclude(tallies)


def conclude(tallies: list[Tally]) -> int:
    """Print the total and each problem; return the exit code."""
    wrong = [sentence for tally in tallies for sentence in tally.wrong]
    harms = sorted({tally.harm for tally in tallies})
    counts = (
        f"{sum(t.reached for t in tallies if t.harm == harm)} x {harm}"
        for harm in harms
    )
    reached = sum(tally.reached for tally in tallies)
    sys.stdout.write(
        f"{reached} points were harmed ({', '.join(counts)}); "
        f"{len(wrong)} things went wrong.\n"
    )
    sys.stdout.writelines(f"{sentence}\n" for sentence in wrong)
    return 1 if wrong else 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tests.faults")
    parser.add_argument("--full", action="store_true", help="every step")
    parser.add_argument("--postgresql", action="store_true", help="not on SQLite")
    parser.add_argument("--seconds", type=float, default=3600, help="end after so long")
    parser.add_argument("names", nargs="*", help="operations, for example store")
    return parser


@dataclass(frozen=True)
class Run:
    """All harms of one operation, on two worlds side by side."""

    folder: Path
    migrated: Sqlite | Postgresql
    operation: Operation
    ends_at: float

    def all(self, *, full: bool) -> Iterable[Tally]:
        name = self.operation.name.replace(" ", "-")
        with sweep.standing(
            self.folder / name, self.operation, self.migrated
        ) as portal:
            found = sweep.steps(portal, self.operation)
            read = sweep.steps(portal, self.operation, sweep.READING_CALLS)
        work = [*self._work(found, full=full), *_failures(found, read, full=full)]
        tallies = {harm: Tally(self.operation.name, harm, 0) for harm, _do, _at in work}
        for harm, _do, _at in work:
            tallies[harm].points += 1
        work = shuffled(work)
        with ThreadPoolExecutor(SIDE_BY_SIDE) as pool:
            parts = [work[i::SIDE_BY_SIDE] for i in range(SIDE_BY_SIDE)]
            sides = pool.map(self._side, range(SIDE_BY_SIDE), parts)
            for harm, verdict in (pair for side in sides for pair in side):
                tallies[harm].add(verdict)
        return tallies.values()

    def power(self, *, full: bool, ends_at: float) -> Iterable[Tally]:
        """Cut the power at up to 100 steps and at the end, one after the other."""
        migrated = self.migrated
        if self.operation not in power.OPERATIONS or isinstance(migrated, Postgresql):
            return
        name = f"{self.operation.name.replace(' ', '-')}-power"
        with power.standing(self.folder / name, self.operation, migrated) as disk:
            steps = disk.steps()
            tally = Tally(self.operation.name, "power cut", len(steps))
            work = sweep.spread(steps, MOST_CUTS if full else SAMPLE)
            for step in shuffled(work):
                if time.monotonic() > ends_at:
                    break
                tally.add(disk.cut(step))
        yield tally

    def _work(
        self, found: list[Step], *, full: bool
    ) -> Iterator[tuple[str, Harm, Step]]:
        take = (lambda steps: steps) if full else partial(sweep.spread, count=SAMPLE)
        yield from (("kill", sweep.kill, step) for step in take(found))
        if isinstance(self.migrated, Postgresql):
            yield from (("disconnect", disconnect.cut, step) for step in take(found))
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


def shuffled[T](work: Iterable[T]) -> list[T]:
    """Order work so that each part of it is drawn evenly, however early a run ends."""
    mixed = list(work)
    random.Random(len(mixed)).shuffle(mixed)
    return mixed


def _failures(
    found: list[Step], read: list[Step], *, full: bool
) -> Iterator[tuple[str, Harm, Step]]:
    """Yield calls to fail: reading ones can only fail of a sick disk.

    What is sent to a database server knows no disk; ``disconnect`` harms that.
    """
    most = MOST_FAILURES if full else SAMPLE
    found = [step for step in found if step.call != "sendto"]
    for error, failing in (("EIO", [*found, *read]), ("ENOSPC", found)):
        harm = partial(sweep.fail, error=error)
        yield from ((error, harm, step) for step in sweep.spread(failing, most))


def show(texts: Iterable[object]) -> None:
    """Print one aligned line at once: a full sweep takes long."""
    sys.stdout.write(
        "{:<18}{:<11}{:>7}{:>7}{:>9}{:>9}{:>7}".format(*texts).rstrip() + "\n"
    )
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
