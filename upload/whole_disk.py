"""One wait for the disk for many files: all of a file system is written out at once.

Only on file systems whose ``syncfs`` is known to make everything durable; over FUSE the
kernel does not pass it on. This call is told of any file's error since ``folder`` was
opened, and each file's own ``fsync`` of its own.
"""

import ctypes
import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from concurrent.futures import TimeoutError as StillRunning
from functools import cache
from pathlib import Path

TRUSTED = frozenset({"ext4", "xfs", "tmpfs"})
MOUNTS = Path("/proc/self/mountinfo")
BEAT_SECONDS = 0.5


def sync(folder: int, beat: Callable[[int], None]) -> bool:
    """Make all files of the folder's file system durable; beat while it lasts.

    Return False where it could not, or is not known to: then each file has to be synced
    on its own.
    """
    call = _syncfs()
    if call is None or _kind_of(folder) not in TRUSTED:
        return False
    with ThreadPoolExecutor(1, "syncfs") as aside:
        running = aside.submit(call, folder)
        while True:
            try:
                return running.result(BEAT_SECONDS) == 0
            except StillRunning:
                beat(0)


@cache
def _syncfs() -> Callable[[int], int] | None:
    """Return the C library's syncfs, or None where there is none."""
    return getattr(ctypes.CDLL(None, use_errno=True), "syncfs", None)


def _kind_of(folder: int) -> str:
    """Return the kind of the file system that is mounted there, ``""`` if unknown."""
    device = os.fstat(folder).st_dev
    wanted = f"{os.major(device)}:{os.minor(device)}"
    try:
        lines = MOUNTS.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return ""
    for line in lines:
        place, _separator, source = line.partition(" - ")
        if place.split(" ", 3)[2] == wanted:
            return source.split(" ", 1)[0]
    return ""
