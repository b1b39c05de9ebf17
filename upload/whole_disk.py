"""One wait for the disk for many files: all of a file system is written out at once.

Only on file systems whose ``syncfs`` is known to make everything durable; over FUSE the
kernel does not pass it on. This call is told of any file's error since ``folder`` was
opened, once; each file's own ``fsync`` is told of its own.
"""

import ctypes
import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from concurrent.futures import TimeoutError as StillRunning
from functools import cache
from pathlib import Path
from typing import Self

TRUSTED = frozenset({"ext4", "xfs", "tmpfs"})
MOUNTS = Path("/proc/self/mountinfo")
BEAT_SECONDS = 0.5


class Sync:
    """Makes all files of the folder's file system durable, from its making on.

    The folder is open until the block has ended.
    """

    def __init__(self, folder: int) -> None:
        self._aside = ThreadPoolExecutor(1, "syncfs")
        call = _syncfs()
        known = call is not None and writes_out(folder)
        self._running = self._aside.submit(call, folder) if call and known else None

    def wait(self, beat: Callable[[int], None]) -> bool:
        """Beat until it is done; return False where it could not, or may not, be done.

        Then each file has to be synced on its own.
        """
        while self._running is not None:
            try:
                return self._running.result(BEAT_SECONDS) == 0
            except StillRunning:
                beat(0)
        return False

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self._aside.shutdown()


@cache
def _syncfs() -> Callable[[int], int] | None:
    """Return the C library's syncfs, or None where there is none."""
    return getattr(ctypes.CDLL(None, use_errno=True), "syncfs", None)


def writes_out(descriptor: int) -> bool:
    """Return whether a file system is known to write when it is asked to.

    Over FUSE the kernel does not pass it on, an overlay answers and does nothing, and
    NFS keeps what was written in our own memory.
    """
    return _kind_of(descriptor) in TRUSTED


def _kind_of(descriptor: int) -> str:
    """Return the kind of the file system of an open file, ``""`` if unknown."""
    device = os.fstat(descriptor).st_dev
    wanted = f"{os.major(device)}:{os.minor(device)}"
    try:
        lines = MOUNTS.read_text(encoding="utf-8", errors="replace").split("\n")
    except OSError:
        return ""
    for line in lines:
        place, _separator, source = line.partition(" - ")
        if place.split(" ", 3)[2:3] == [wanted]:
            return source.split(" ", 1)[0]
    return ""
