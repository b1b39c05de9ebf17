"""Start jobs at one instant, again and again: ``python -m tests.faults contended``.

Two or more callers click store, copy and remove on one session at a barrier, then two
workers claim what they made. Exactly one caller may win, each other gets a message, and
one worker runs the job, once. ``--rounds`` says how often, 10,000 by default; half of
them are on SQLite and half on a PostgreSQL of its own; ``--seconds`` ends them early.
Prints the counts and ends with
1 where anything was wrong.
"""

import argparse
import json
import subprocess
import sys
import tempfile
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

from tests.codebase import ROOT
from tests.faults import sweep
from tests.faults.databases import Postgresql, Sqlite
from tests.faults.world import World
from tests.services import postgresql

CALLERS = 3


@dataclass(frozen=True)
class Counts:
    """What the rounds came to; ``wrong`` are sentences."""

    rounds: int = 0
    winners: int = 0
    told: int = 0
    executions: int = 0
    wrong: list[str] = field(default_factory=list)


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.faults contended")
    parser.add_argument("--rounds", type=int, default=10_000)
    parser.add_argument("--seconds", type=float, default=3600)
    options = parser.parse_args(arguments)
    wrong = []
    with ExitStack() as stack:
        prefix = "muniment-contended-"
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix=prefix)))
        server = stack.enter_context(postgresql.server())
        for name, url in (("SQLite", ""), ("PostgreSQL", server)):
            migrated = sweep.migrate(folder / f"{name}-migrated", url)
            counts = contend(
                folder / name, migrated, options.rounds // 2, options.seconds / 2
            )
            sys.stdout.write(f"{name}: {told(counts)}\n")
            wrong += counts.wrong
    sys.stdout.writelines(f"{sentence}\n" for sentence in wrong)
    return 1 if wrong else 0


def told(counts: Counts) -> str:
    return (
        f"{counts.rounds} rounds of {CALLERS} callers and 2 workers: "
        f"{counts.winners} won, {counts.told} were told why not, "
        f"{counts.executions} jobs ran, {len(counts.wrong)} things went wrong."
    )


def contend(
    folder: Path, migrated: Sqlite | Postgresql, rounds: int, seconds: float
) -> Counts:
    """Play the rounds in a world of its own; see ``tests.faults.rivals``."""
    numbers = [str(number) for number in (rounds, CALLERS, seconds)]
    world = World(folder, folder / "uploaded")
    world.take_database(migrated)
    try:
        played = subprocess.run(
            [sys.executable, "-m", "tests.faults.rivals", *numbers],
            cwd=ROOT,
            env=world.environment() | {"LOG_LEVEL": "CRITICAL"},
            capture_output=True,
            text=True,
            check=False,
        )
    finally:
        world.database.drop()
    if played.returncode:
        raise RuntimeError(f"The rivals ended early: {played.stderr[-2000:]}")
    return Counts(**json.loads(played.stdout.splitlines()[-1]))
