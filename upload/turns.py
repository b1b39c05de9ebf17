"""Short transactions of many writers, one after another without a pause between them.

SQLite lets a writer that finds another sleep for ever longer (1 to 100 ms) before it
asks again; of many writers all sleep half of the time. Here the threads of a process
line up, and their processes ask three times a millisecond. It is only good manners:
who waited long goes on, and the database's own lock decides.
"""

import fcntl
import os
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

from django.db import DEFAULT_DB_ALIAS, connections

from upload.paths import ROOT_FLAGS

PAUSE_SECONDS = 0.0003
MOST_SECONDS = 1.0

_line = threading.Lock()


@contextmanager
def in_turn() -> Iterator[None]:
    """Let other such blocks on the same SQLite database wait, for a second at most.

    Put around ``transaction.atomic()``. Inside a transaction, which holds the
    database already, and on other databases it does nothing. It raises nothing, at its
    end least of all: what was committed must not look failed.
    """
    folder = _folder()
    with ExitStack() as held:
        if folder is not None:
            _take(folder, held)
        yield


def _folder() -> Path | None:
    """Return the folder whose lock is the turn; None where no turn is needed.

    Not the database's own file: closing that would end SQLite's locks on it.
    """
    database = connections[DEFAULT_DB_ALIAS]
    is_alone = database.vendor != "sqlite" or database.in_atomic_block
    return None if is_alone else Path(database.settings_dict["NAME"]).parent


def _take(folder: Path, held: ExitStack) -> None:
    """Wait for the turn, but not long; ``held`` gives back what was got of it."""
    until = time.monotonic() + MOST_SECONDS
    if _line.acquire(timeout=MOST_SECONDS):
        held.callback(_line.release)
    try:
        descriptor = os.open(folder, ROOT_FLAGS)
        held.callback(_leave, descriptor)
        while not _is_ours(descriptor) and time.monotonic() < until:
            time.sleep(PAUSE_SECONDS)
    except OSError:
        return  # a file system without such locks, or no descriptor left


def _leave(descriptor: int) -> None:
    with suppress(OSError):  # what was done in the turn is done, whatever this says
        os.close(descriptor)


def _is_ours(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
