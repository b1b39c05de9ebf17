"""Harm one operation at one step, look, let the portal recover, and look again.

A step is the n-th call of one system call, counted from the start of the deed. A kill
lands as the call is entered, so it does not happen; a pause lands after the call.
"""

import os
import re
import signal
import tempfile
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import NamedTuple

from tests.faults import oracle
from tests.faults.databases import Postgresql, Sqlite
from tests.faults.operations import Operation
from tests.faults.oracle import look
from tests.faults.world import Portal, World

SYSTEM_CALLS = (
    *("rename", "renameat", "renameat2", "link", "linkat", "unlink", "unlinkat"),
    *("mkdir", "mkdirat", "fsync", "fdatasync", "syncfs", "sync_file_range"),
    *("pwrite64", "write", "ftruncate"),
    "sendto",  # a statement on its way to PostgreSQL
)
READING_CALLS = ("openat", "read", "newfstatat", "close")
# Made inside a transaction: a process paused there would hold the database's locks.
OF_THE_DATABASE = {
    *("fdatasync", "pwrite64", "ftruncate", "unlink", "mkdir", "rename", "sendto"),
}
DISK_ERRORS = ("EIO", "ENOSPC")
OTHER_FILE_SYSTEM = Path("/dev/shm")  # noqa: S108 - used through mkdtemp only
ROUNDS = 5


class Step(NamedTuple):
    """One call of a system call, numbered from 1."""

    call: str
    number: int


@dataclass
class Verdict:
    """What became of one harm; ``reached`` is False where the deed ended before it."""

    step: Step
    reached: bool = False
    orphans: int = 0
    problems: list[str] = field(default_factory=list)


@contextmanager
def standing(
    root: Path, operation: Operation, migrated: Sqlite | Postgresql
) -> Iterator[Portal]:
    """Yield a portal at the operation's start; ``migrated`` is a database to copy."""
    shared = OTHER_FILE_SYSTEM if operation.across else root
    shared.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=shared, prefix="muniment-") as other:
        world = World(root / "world", Path(other) / "uploaded")
        world.take_database(migrated)
        try:
            with Portal(world) as portal:
                portal.run(operation.before)
                world.keep()
                yield portal
        finally:
            world.database.drop()


def migrate(root: Path, server_url: str = "") -> Sqlite | Postgresql:
    """Return a database with all tables and no rows, made by a portal.

    It is a file of SQLite, or lies on the PostgreSQL server of that address.
    """
    world = World(root, root / "uploaded")
    made = Postgresql.new(server_url) if server_url else Sqlite(world.database_path)
    world.database = made
    with Portal(world) as portal:
        portal.run("migrate")
    return made


def steps(
    portal: Portal, operation: Operation, calls: tuple[str, ...] = SYSTEM_CALLS
) -> list[Step]:
    """Run the operation unharmed and return its steps in the order of time."""
    portal.world.restore()
    return traced_steps(portal, operation, calls)


def traced_steps(
    portal: Portal, operation: Operation, calls: tuple[str, ...] = SYSTEM_CALLS
) -> list[Step]:
    """Run the operation from where the world stands; see ``steps``."""
    listing = portal.world.root / "strace.txt"
    wanted = f"trace={','.join('?' + name for name in calls)}"
    with portal.traced(operation.deed, "-o", str(listing), "-e", wanted) as process:
        if portal.wait(process) != "0":
            raise RuntimeError(f"{operation.name} failed unharmed: {portal.said()}")
    wrong = operation.end_problems(look(portal.world))
    if wrong:
        raise AssertionError(f"{operation.name}, unharmed: {wrong}")
    return _counted(listing.read_text(errors="replace"))


def _counted(listing: str) -> list[Step]:
    seen: Counter[str] = Counter()
    found = []
    for call in re.findall(r"^(\w+)\(", listing, flags=re.MULTILINE):
        seen[call] += 1
        found.append(Step(call, seen[call]))
    return found


def spread(found: list[Step], count: int) -> list[Step]:
    """Return at most ``count`` of them, evenly over all, first and last included."""
    if len(found) <= count:
        return found
    last = len(found) - 1
    return [found[index * last // (count - 1)] for index in range(count)]


def pausable(found: list[Step]) -> list[Step]:
    return [step for step in found if step.call not in OF_THE_DATABASE]


def kill(portal: Portal, operation: Operation, step: Step) -> Verdict:
    """Kill the deed at a step; then what is true must lead to its end."""
    portal.world.restore()
    verdict = Verdict(step, _killed(portal, operation.deed, step))
    judge_recovery(portal, operation, verdict)
    return verdict


def kill_twice(portal: Portal, operation: Operation, step: Step) -> Verdict:
    """Kill the deed at a step, and the recovery at its own step of that number."""
    portal.world.restore()
    verdict = Verdict(step, _killed(portal, operation.deed, step))
    portal.world.let_a_day_pass()
    verdict.reached &= _killed(portal, "recover", step)
    judge_recovery(portal, operation, verdict)
    return verdict


def fail(portal: Portal, operation: Operation, step: Step, error: str) -> Verdict:
    """Let one call fail as on a sick or full disk; go on with what comes then."""
    portal.world.restore()
    injected = f"inject={step.call}:error={error}:when={step.number}"
    options = ("-o", os.devnull, "-e", f"trace={step.call}", "-e", injected)
    with portal.traced(operation.deed, *options) as process:
        portal.wait(process)  # it may have failed, or have got over it
    verdict = Verdict(step, reached=True)
    # A file that could not be unlinked is left to the sweep.
    judge_recovery(portal, replace(operation, strict=False), verdict)
    return verdict


def lose_jobs(portal: Portal, operation: Operation, step: Step) -> Verdict:
    """Kill the deed and delete queue and jobs; the watchdog makes what is missing.

    The items knew which bytes were still to go, so these are left to the sweep.
    """
    portal.world.restore()
    verdict = Verdict(step, _killed(portal, operation.deed, step))
    portal.world.lose_the_jobs()
    judge_recovery(portal, replace(operation, strict=False), verdict)
    return verdict


def kill_always(portal: Portal, operation: Operation, step: Step) -> None:
    """Kill every attempt at the same step, until the watchdog gives the job up."""
    portal.world.restore()
    _killed(portal, operation.deed, step)
    for _attempt in range(oracle.MOST_ATTEMPTS):
        portal.world.let_a_day_pass()
        _killed(portal, "recover", step)


def _killed(portal: Portal, deed: str, step: Step) -> bool:
    """Kill a deed at a step; return whether it came so far."""
    with portal.traced(deed, *injecting(step, "KILL")) as process:
        return portal.wait(process) == str(-signal.SIGKILL)


def injecting(step: Step, name: str) -> tuple[str, ...]:
    return (
        *("-o", os.devnull, "-e", f"trace={step.call}"),
        *("-e", f"inject={step.call}:signal={name}:when={step.number}"),
    )


def judge_recovery(portal: Portal, operation: Operation, verdict: Verdict) -> None:
    wrong = oracle.problems(look(portal.world))
    verdict.problems += [f"after the harm: {sentence}" for sentence in wrong]
    try:
        recover(portal, operation)
    except RuntimeError as error:
        verdict.problems.append(str(error))
    end = look(portal.world)
    verdict.orphans = len(end.orphans())
    verdict.problems += [f"at the end: {s}" for s in operation.end_problems(end)]


def recover(portal: Portal, operation: Operation) -> None:
    """Let watchdog and worker do their rounds; ask again for what was not asked."""
    for _round in range(ROUNDS):
        portal.world.let_a_day_pass()
        portal.run("recover")
        view = look(portal.world)
        if operation.is_done(view):
            break
        if not operation.has_active_job(view):
            portal.run(operation.deed)
    portal.run("drop old staging")


def pause(portal: Portal, operation: Operation, step: Step) -> Verdict:
    """Pause an attempt past its lease, let another one end, then let it go on."""
    portal.world.restore()
    verdict = Verdict(step)
    with portal.traced(operation.deed, *injecting(step, "STOP")) as process:
        if portal.wait(process) != "stopped":
            return verdict
        verdict.reached = any(
            row["state"] == "running" for row in look(portal.world).rows["upload_job"]
        )
        before = None
        try:
            if verdict.reached:
                judge_recovery(portal, operation, verdict)
                before = _written(portal.world)
        finally:
            os.kill(process, signal.SIGCONT)
            portal.wait(process)
    if before is not None and _written(portal.world) != before:
        verdict.problems.append("the stale attempt changed a row or a file")
    return verdict


def _written(world: World) -> object:
    """Return all that a stale attempt could spoil."""
    view = look(world)
    return view.rows, view.temp, view.uploaded, view.copies, view.staged
