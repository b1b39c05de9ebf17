"""The system calls that make bytes and names survive a power cut.

Called by ``paths``, ``copy_engine`` and ``tree``. Every name is an ``Entry``: a name in
an open folder, so that no folder can be swapped for a link between check and use.
Nothing here replaces a file, and a failed fsync is never tried again: what it was to
keep is unknown from then on, so the caller drops the file.
"""

import ctypes
import errno
import fcntl
import os
import resource
from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager, nullcontext, suppress
from functools import cache
from types import TracebackType
from typing import NamedTuple, Self

from upload.errors import LeaseLost, ShortWrite, TargetOccupied
from upload.wording import gettext as _

RENAME_NOREPLACE = 1
UNSUPPORTED = {errno.EINVAL, errno.ENOSYS, errno.ENOTSUP, errno.EPERM, errno.EMLINK}
MOST_FOLDERS_HELD = 256


class Entry(NamedTuple):
    """A name in an open folder; ``folder`` is its file descriptor."""

    folder: int
    name: str

    def stat(self) -> os.stat_result:
        return os.stat(self.name, dir_fd=self.folder, follow_symlinks=False)

    def exists(self) -> bool:
        """Return whether anything has the name, a broken link included."""
        try:
            self.stat()
        except FileNotFoundError:
            return False
        return True

    def drop(self) -> None:
        """Unlink the name; one that is gone already is fine."""
        with suppress(FileNotFoundError):
            os.unlink(self.name, dir_fd=self.folder)


class FolderGone(FileNotFoundError):
    """The open folder was pruned by another process; walk to it once more."""


def write_all(descriptor: int, data: bytes) -> None:
    """Write all of ``data``: ``os.write`` may take only a part of it."""
    view = memoryview(data)
    while view:
        count = os.write(descriptor, view)
        if count == 0:
            raise ShortWrite(
                _(
                    "The file system took 0 of %(count)d bytes and named no error. "
                    "Check its space and health, then try again."
                )
                % {"count": len(view)}
            )
        view = view[count:]


def sync_file(descriptor: int) -> None:
    """Make a file's bytes and length durable."""
    # Only macOS knows this call; its fsync leaves bytes in the drive's own cache.
    full_sync: int | None = getattr(fcntl, "F_FULLFSYNC", None)
    if full_sync is None:
        os.fsync(descriptor)
    else:
        fcntl.fcntl(descriptor, full_sync)


def sync_data(descriptor: int) -> None:
    """Write out what a growing file holds so far."""
    getattr(os, "fdatasync", os.fsync)(descriptor)


def sync_folder(descriptor: int) -> None:
    """Make the names in a folder durable."""
    try:
        os.fsync(descriptor)
    except OSError as error:
        # Some network and FUSE file systems have no fsync for folders.
        if error.errno not in {errno.EINVAL, errno.ENOTSUP}:
            raise


def most_descriptors(wanted: int) -> int:
    """Return how many descriptors may be held at once: a quarter of the limit."""
    soft, _hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    spare = wanted if soft == resource.RLIM_INFINITY else soft // 4
    return max(1, min(wanted, spare))


class FolderSyncs:
    """Folders whose names changed, each fsynced once when the block ends.

    Nothing noted here is durable before that. After an error nothing is synced. Not
    shared between threads.
    """

    def __init__(self) -> None:
        self._most = most_descriptors(MOST_FOLDERS_HELD)
        self._held: dict[tuple[int, int], int] = {}

    def add(self, folder: int) -> None:
        status = os.fstat(folder)
        identity = (status.st_dev, status.st_ino)
        if identity in self._held:
            return
        if len(self._held) >= self._most:
            self.flush()
        self._held[identity] = os.dup(folder)

    def flush(self) -> None:
        """Sync now all that was noted so far."""
        try:
            for descriptor in self._held.values():
                sync_folder(descriptor)
        finally:
            self.close()

    def close(self) -> None:
        """Forget what was noted and not synced yet; a second call does nothing."""
        for descriptor in self._held.values():
            os.close(descriptor)
        self._held.clear()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if kind is None:
            self.flush()
        else:
            self.close()


def syncing(syncs: FolderSyncs | None) -> AbstractContextManager[FolderSyncs]:
    """Give ``syncs``, or where it is None a new one that ends with the block."""
    return FolderSyncs() if syncs is None else nullcontext(syncs)


def occupied(name: str) -> TargetOccupied:
    """Return the error for a final name at which other bytes stand."""
    return TargetOccupied(
        _(
            "Something else already stands at “%(name)s”; it was left as it is. Move "
            "it away or choose another place, then try again."
        )
        % {"name": name}
    )


def place(staging: Entry, final: Entry, syncs: FolderSyncs | None = None) -> None:
    """Give a staged file its final name without replacing anything there.

    The final folder is fsynced at once, or with ``syncs``. Raise ``TargetOccupied``;
    ``LeaseLost`` if another attempt dropped the staging file; ``FolderGone``.
    """
    with syncing(syncs) as pending:
        try:
            _move(staging, final)
        except FileNotFoundError as error:
            raise _what_vanished(staging, final) from error
        pending.add(final.folder)


def place_many(pairs: Iterable[tuple[Entry, Entry]]) -> None:
    """Place each ``(staging, final)`` and fsync each final folder once."""
    with FolderSyncs() as syncs:
        for staging, final in pairs:
            place(staging, final, syncs)


def link(source: Entry, final: Entry) -> None:
    """Give a file a second name without following or replacing anything.

    The same file at the final name already is success. Raise ``TargetOccupied``,
    ``FolderGone``, or ``OSError`` with ``EXDEV`` for another file system.
    """
    try:
        os.link(
            source.name,
            final.name,
            src_dir_fd=source.folder,
            dst_dir_fd=final.folder,
            follow_symlinks=False,
        )
    except FileExistsError as error:
        if not os.path.samestat(source.stat(), final.stat()):
            raise occupied(final.name) from error
    except FileNotFoundError as error:
        source.stat()
        raise FolderGone(error.errno, error.strerror, final.name) from error


def _move(staging: Entry, final: Entry) -> None:
    """Rename without replacing, by the best call that the file system has."""
    moves: list[Callable[[Entry, Entry], None]] = [_rename_noreplace, _link_and_drop]
    for move in moves:
        try:
            move(staging, final)
        except OSError as error:
            if error.errno not in UNSUPPORTED:
                raise
        else:
            return
    # exFAT over FUSE has neither call: a foreign writer could win between these two.
    if final.exists():
        raise occupied(final.name)
    os.rename(
        staging.name, final.name, src_dir_fd=staging.folder, dst_dir_fd=final.folder
    )


def _link_and_drop(staging: Entry, final: Entry) -> None:
    link(staging, final)
    staging.drop()


@cache
def _renameat2() -> Callable[..., int] | None:
    """Return the C library's renameat2, or None where there is none."""
    return getattr(ctypes.CDLL(None, use_errno=True), "renameat2", None)


def _rename_noreplace(staging: Entry, final: Entry) -> None:
    call = _renameat2()
    if call is None:
        raise OSError(errno.ENOSYS, os.strerror(errno.ENOSYS))
    old, new = os.fsencode(staging.name), os.fsencode(final.name)
    if call(staging.folder, old, final.folder, new, RENAME_NOREPLACE) == 0:
        return
    number = ctypes.get_errno()
    if number == errno.EEXIST:
        raise occupied(final.name)
    raise OSError(number, os.strerror(number), final.name)


def _what_vanished(staging: Entry, final: Entry) -> Exception:
    if staging.exists():
        return FolderGone(errno.ENOENT, os.strerror(errno.ENOENT), final.name)
    return taken_over(staging.name)


def taken_over(name: str) -> LeaseLost:
    """Return the error for a staging file that another attempt has dropped."""
    return LeaseLost(
        _(
            "The staging file %(name)s is gone: another attempt has taken this file "
            "over. This attempt stops here."
        )
        % {"name": name}
    )
