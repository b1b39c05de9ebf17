"""Storage keys, and the walk below a root that follows no link.

A key is a relative path with ``/`` between its parts, made by ``key_for`` and never
from a user's name. Folders are opened one part at a time by their parent's descriptor.
"""

import errno
import os
import stat
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from functools import lru_cache
from pathlib import Path
from uuid import UUID

from upload.durable import (
    Entry,
    FolderGone,
    FolderSyncs,
    link,
    occupied,
    sync_folder,
    syncing,
)
from upload.errors import SourceMissing, SourceUnreadable, UnsafePath
from upload.wording import gettext as _

ROOT_FLAGS = os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC
FOLDER_FLAGS = ROOT_FLAGS | os.O_NOFOLLOW
# O_NONBLOCK: a planted FIFO must not hang the open.
FILE_FLAGS = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
PRIVATE_FOLDER = 0o700
# A bad sector, and what ext4 says of its own structures on one.
SICK_DISK = {errno.EIO, errno.EBADMSG, getattr(errno, "EUCLEAN", errno.EIO)}
# A folder is not there any more, or something else stands in its place.
NOWHERE = (FileNotFoundError, NotADirectoryError)
NO_FOLDER = (*NOWHERE, UnsafePath)


def key_for(session_uuid: UUID, file_uuid: UUID) -> str:
    """Return the key of a session's file: ``ab/ab12…/c/cd34…``, 70 characters.

    The short parts keep every folder at some thousand entries with a million sessions
    and with 100,000 files in one session, and a small session at 16 folders: each
    folder that changes costs an fsync.
    """
    session, file = session_uuid.hex, file_uuid.hex
    return f"{session[:2]}/{session}/{file[0]}/{file}"


@lru_cache(4096)
def parts_of(key: str) -> tuple[str, ...]:
    """Split a key; raise ``UnsafePath`` unless each part is a plain name."""
    parts = tuple(key.split("/"))
    if any(part in {"", ".", ".."} or "\0" in part for part in parts):
        raise UnsafePath(
            _(
                "The path “%(key)s” is not a relative path of plain names. Give one "
                "without empty parts, “.” or “..”."
            )
            % {"key": key}
        )
    return parts


class closing:
    """Give the descriptor and close it at the end, whatever happens."""

    __slots__ = ("_descriptor",)

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor

    def __enter__(self) -> int:
        return self._descriptor

    def __exit__(self, *error: object) -> None:
        os.close(self._descriptor)


def open_root(root: Path, mode: int | None = None) -> int:
    """Open a root that settings or trusted code name; with a mode, make it first."""
    try:
        return os.open(root, ROOT_FLAGS)
    except FileNotFoundError:
        if mode is None:
            raise
    standing = next(parent for parent in root.parents if parent.exists())
    made = root.relative_to(standing).parts
    with closing(os.open(standing, ROOT_FLAGS)) as top, walk(top, made, mode) as folder:
        return os.dup(folder)


@contextmanager
def walk(root: int, parts: Sequence[str], mode: int | None = None) -> Iterator[int]:
    """Yield the open folder at ``parts`` below ``root``; with a mode, make what lacks.

    A made folder's parent is fsynced. Raise ``UnsafePath`` for a link on the way,
    ``NotADirectoryError`` (``TargetOccupied`` with a mode) for a file on the way,
    ``FolderGone`` if another process pruned a folder meanwhile.
    """
    folder = os.dup(root)
    try:
        for part in parts:
            child = _open_child(Entry(folder, part), mode)
            os.close(folder)
            folder = child
        yield folder
    finally:
        os.close(folder)


def _open_child(entry: Entry, mode: int | None) -> int:
    try:
        return _open_folder(entry)
    except FileNotFoundError:
        if mode is None:
            raise
    except NotADirectoryError as error:
        if mode is None:
            raise
        raise occupied(entry.name) from error
    return _make_folder(entry, mode)


def _open_folder(entry: Entry) -> int:
    try:
        return os.open(entry.name, FOLDER_FLAGS, dir_fd=entry.folder)
    except OSError as error:
        # A link is ELOOP or ENOTDIR, after the system's taste.
        if error.errno in {errno.ELOOP, errno.ENOTDIR} and is_link(entry):
            raise unsafe(entry.name) from error
        raise


def _make_folder(entry: Entry, mode: int) -> int:
    try:
        with suppress(FileExistsError):
            os.mkdir(entry.name, mode, dir_fd=entry.folder)
        child = _open_folder(entry)
    except FileNotFoundError as error:
        raise FolderGone(error.errno, error.strerror, entry.name) from error
    with suppress(PermissionError):  # FAT has no modes; another's folder keeps its own
        os.fchmod(child, mode)
    try:
        sync_folder(entry.folder)
    except OSError:
        os.close(child)
        with suppress(OSError):  # else the next would take it for a durable one
            os.rmdir(entry.name, dir_fd=entry.folder)
        raise
    return child


def is_link(entry: Entry) -> bool:
    return entry.exists() and stat.S_ISLNK(entry.stat().st_mode)


def unsafe(name: str) -> UnsafePath:
    """Return the error for a link, pipe, socket, device or folder in a file's place."""
    return UnsafePath(
        _(
            "“%(name)s” is not a regular file or folder of its own but a link, a pipe, "
            "a device or a folder in a file's place; it was not opened. Find out who "
            "put it there."
        )
        % {"name": name}
    )


def regular(entry: Entry) -> os.stat_result:
    """Return a regular file's status; raise ``UnsafePath`` for anything else."""
    seen = entry.stat()
    if not stat.S_ISREG(seen.st_mode):
        raise unsafe(entry.name)
    return seen


def open_regular(entry: Entry) -> int:
    """Open a regular file for reading; raise ``UnsafePath`` for anything else."""
    regular(entry)  # before the open: opening a device can already have effects
    try:
        descriptor = os.open(entry.name, FILE_FLAGS, dir_fd=entry.folder)
    except OSError as error:
        if error.errno in {errno.ELOOP, errno.ENXIO}:
            raise unsafe(entry.name) from error
        raise
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise unsafe(entry.name)
    return descriptor


@contextmanager
def finding(key: str) -> Iterator[None]:
    """Turn the many ways of having no file into ``SourceMissing``."""
    try:
        yield
    except NOWHERE as error:
        raise SourceMissing(
            _(
                "The bytes of “%(key)s” are not in their storage. Look for them in a "
                "backup."
            )
            % {"key": key}
        ) from error


@contextmanager
def giving(key: str) -> Iterator[None]:
    """Find as ``finding``; a disk that cannot give it becomes ``SourceUnreadable``.

    Only around what reads that file.
    """
    with finding(key):
        try:
            yield
        except OSError as error:
            if error.errno not in SICK_DISK:
                raise
            raise SourceUnreadable(
                _(
                    "The disk could not give the bytes of “%(key)s” (%(error)s). Have "
                    "the disk looked at; if they cannot be read later, look for them "
                    "in a backup."
                )
                % {"key": key, "error": error.strerror}
            ) from error


def open_below(root: Path, key: str) -> int:
    """Open the regular file ``key`` below ``root`` for reading."""
    *folders, name = parts_of(key)
    with closing(open_root(root)) as top, walk(top, folders) as folder:
        return open_regular(Entry(folder, name))


def link_into_place(
    source: Entry, final: Entry, syncs: FolderSyncs | None = None
) -> os.stat_result:
    """Give a regular file a second name in its file system, without copying bytes.

    Return the file's status. What is linked there already is success. Raise
    ``UnsafePath``, ``TargetOccupied``, ``FolderGone``, or ``OSError`` with ``EXDEV``
    where the file has to be streamed instead.
    """
    seen = regular(source)
    with syncing(syncs) as pending:
        link(source, final)
        if not os.path.samestat(seen, final.stat()):
            final.drop()
            raise unsafe(source.name)
        pending.add(final.folder)
    return seen


def prune_empty(
    root: int, folders: Iterable[Sequence[str]], syncs: FolderSyncs
) -> None:
    """Remove the folders and their parents as far as they are empty.

    Of each the first that stays, at the latest the root, is noted in ``syncs``. Parents
    that many share are looked at once.
    """
    level = {tuple(parts) for parts in folders}
    while level:
        above = set()
        for parts in sorted(level):
            if not parts:
                syncs.add(root)
            elif _is_removed(root, parts):
                above.add(parts[:-1])
            else:
                _note(root, parts, syncs)
        level = above


def _is_removed(root: int, parts: Sequence[str]) -> bool:
    """Remove an empty folder; return whether there is none any more."""
    with suppress(*NO_FOLDER), walk(root, parts[:-1]) as parent:
        try:
            os.rmdir(parts[-1], dir_fd=parent)
        except FileNotFoundError:
            return True
        except OSError:
            return False
    return True


def _note(root: int, parts: Sequence[str], syncs: FolderSyncs) -> None:
    with suppress(*NO_FOLDER), walk(root, parts) as folder:
        syncs.add(folder)


def device_id(path: Path) -> int:
    """Return the id of the file system that ``path`` stands on, links followed."""
    return path.stat().st_dev


def same_device(first: Path, second: Path) -> bool:
    return device_id(first) == device_id(second)


def free_bytes(folder: Path | int) -> int:
    """Return how many bytes can still be written in a folder, open or not."""
    space = os.statvfs(folder)
    return space.f_bavail * space.f_frsize
