"""What the system is asked about its memory of files. None of it outlives a crash."""

import ctypes
import errno
import os
from collections.abc import Callable
from functools import cache

# What a kernel, or a sandbox around it, says that does not know the call.
UNKNOWN_CALL = {errno.ENOSYS, errno.EPERM}
SYNC_FILE_RANGE_WRITE = 2
SYNC_FILE_RANGE_ALL = 7  # wait for what is under way, write the rest, wait for that


def forget(descriptor: int, part: range) -> None:
    """Ask the system to read synced bytes from the disk next time, not from memory.

    An empty ``part`` is the whole file.
    """
    if hasattr(os, "posix_fadvise"):
        advice = os.POSIX_FADV_DONTNEED
        os.posix_fadvise(descriptor, part.start, len(part), advice)


def fetch(descriptor: int) -> None:
    """Ask the system to begin reading a whole file, so that a later read waits less."""
    if hasattr(os, "posix_fadvise"):
        os.posix_fadvise(descriptor, 0, 0, os.POSIX_FADV_WILLNEED)


def announce_reading(descriptor: int) -> None:
    """Tell the system that a file will be read from its start to its end."""
    if hasattr(os, "posix_fadvise"):
        os.posix_fadvise(descriptor, 0, 0, os.POSIX_FADV_SEQUENTIAL)


def is_in_memory(descriptor: int, place: int) -> bool:
    """Return whether the byte at ``place`` would be read without the disk.

    True also where the system cannot tell.
    """
    if not hasattr(os, "RWF_NOWAIT"):
        return True
    try:
        os.preadv(descriptor, [bytearray(1)], place, os.RWF_NOWAIT)
    except BlockingIOError:
        return False
    except OSError:
        return True
    return True


def start_writing(descriptor: int, start: int, count: int) -> None:
    """Ask the system to begin to write a stretch out, so that a sync waits less.

    It waits for nothing and promises nothing: the sync that follows tells of errors.
    """
    call = _sync_file_range()
    if call is not None:
        call(descriptor, start, count, SYNC_FILE_RANGE_WRITE)


def wait_for_writing(descriptor: int, part: range) -> bool:
    """Wait until a stretch is written out; return False where nobody can be asked so.

    The disk may still forget it: only a sync keeps. Raise ``OSError`` where a byte of
    it could not be written, which the sync that follows would not tell again.
    """
    call = _sync_file_range()
    if call is None:
        return False
    if call(descriptor, part.start, len(part), SYNC_FILE_RANGE_ALL) == 0:
        return True
    number = ctypes.get_errno()
    if number in UNKNOWN_CALL:
        return False
    raise OSError(number, os.strerror(number))


@cache
def _sync_file_range() -> Callable[..., int] | None:
    """Return the C library's call, which only Linux has."""
    call = getattr(ctypes.CDLL(None, use_errno=True), "sync_file_range", None)
    if call is not None:
        call.argtypes = [ctypes.c_int, ctypes.c_int64, ctypes.c_int64, ctypes.c_uint]
    return call
