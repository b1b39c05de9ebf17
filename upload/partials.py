"""Partials: the bytes of unfinished uploads, beside the temporary storage's files.

A partial is ``.staging/tus-<uuid>.partial``: no storage lists it and no sweep of
staging files takes it. Whoever changes one holds its lock, which the system gives back
when a process dies. Bytes above the offset that was committed were promised to nobody
and are cut off before the next ones are written.
"""

import fcntl
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from uuid import UUID

from django.conf import settings
from django.core.files.storage import Storage
from django.utils.translation import gettext as _

from upload import paths
from upload.copy_engine import (
    PRIVATE_FILE,
    STAGE_FLAGS,
    Receipt,
    read_descriptor,
)
from upload.disk import STAGING_FOLDER
from upload.durable import Entry, place, sync_folder
from upload.storage import TempFileStorage, durable_tree, receive_into
from upload.tus_errors import UploadLocked

OPEN_FLAGS = os.O_RDWR | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
START, END = "tus-", ".partial"
TRIES = 3


def name_of(uuid: UUID) -> str:
    return f"{START}{uuid.hex}{END}"


@contextmanager
def _folder() -> Iterator[int]:
    """Yield the open staging folder; it is made where it lacks."""
    tree = durable_tree(TempFileStorage())
    if tree is not None:
        with tree.folder(tree.layout.folder, make=True) as folder:
            yield folder
        return
    root = Path(settings.TEMP_STORAGE_FOLDER) / STAGING_FOLDER
    with paths.closing(paths.open_root(root, paths.PRIVATE_FOLDER)) as folder:
        yield folder


def create(uuid: UUID) -> None:
    """Make an empty partial whose name survives a power cut."""
    with _folder() as folder:
        flags = STAGE_FLAGS
        os.close(os.open(name_of(uuid), flags, PRIVATE_FILE, dir_fd=folder))
        sync_folder(folder)


def drop(uuid: UUID) -> None:
    """Unlink a partial; one that is gone is fine."""
    with _folder() as folder:
        Entry(folder, name_of(uuid)).drop()


def size_of(uuid: UUID, key: str) -> int:
    """Return how many bytes are there; raise ``FileNotFoundError`` for none."""
    with _folder() as folder, suppress(FileNotFoundError):
        return Entry(folder, name_of(uuid)).stat().st_size
    tree = durable_tree(TempFileStorage())
    if tree is None:
        raise FileNotFoundError(key)
    return tree.status(key).st_size


@contextmanager
def held(uuid: UUID, key: str, is_open: Callable[[], bool]) -> Iterator[int]:
    """Yield a locked partial's descriptor, for reading and writing.

    One that a crash left under its final key is taken back first, where ``is_open``,
    asked under the lock, says that the upload is still unfinished. Raise
    ``UploadLocked`` while another request holds it, ``FileNotFoundError``.
    """
    with (
        _folder() as folder,
        paths.closing(_locked(folder, uuid, key, is_open)) as descriptor,
    ):
        yield descriptor


def _locked(folder: int, uuid: UUID, key: str, is_open: Callable[[], bool]) -> int:
    """Open and lock what has the name, also while it is being given back."""
    entry = Entry(folder, name_of(uuid))
    for _attempt in range(TRIES):
        try:
            descriptor = os.open(entry.name, OPEN_FLAGS, dir_fd=folder)
        except FileNotFoundError:
            _take_back(entry, key, is_open)
            continue
        try:
            _lock(descriptor)
            with suppress(FileNotFoundError):
                if os.path.samestat(os.fstat(descriptor), entry.stat()):
                    return descriptor
        except BaseException:
            os.close(descriptor)
            raise
        os.close(descriptor)
    raise FileNotFoundError(entry.name)


def _lock(descriptor: int) -> None:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        raise UploadLocked(
            _("Another request is writing to this upload. Try again in a moment.")
        ) from error


def _take_back(entry: Entry, key: str, is_open: Callable[[], bool]) -> None:
    """Give a file that was placed, but whose row never came, its first name again."""
    tree = durable_tree(TempFileStorage())
    if tree is None:
        raise FileNotFoundError(entry.name)
    with tree.entry(key) as final, paths.closing(paths.open_regular(final)) as file:
        # Whoever is committing its row now holds the same lock.
        _lock(file)
        if not is_open():
            raise FileNotFoundError(entry.name)
        place(final, entry)


def put_in_place(descriptor: int, uuid: UUID, key: str, receipt: Receipt) -> Receipt:
    """Move a whole, durable partial under its key of the temporary storage."""
    storage: Storage = TempFileStorage()
    tree = durable_tree(storage)
    if tree is not None:
        tree.place_staged(name_of(uuid), key)
        return receipt
    os.lseek(descriptor, 0, os.SEEK_SET)
    return receive_into(storage, key, read_descriptor(descriptor), receipt)


def give_back(uuid: UUID, key: str) -> None:
    """Undo ``put_in_place``: what was acknowledged of the upload stays its own.

    A partial that was never placed is fine.
    """
    storage = TempFileStorage()
    tree = durable_tree(storage)
    if tree is None:
        storage.delete(key)
        return
    with suppress(FileNotFoundError), _folder() as folder, tree.entry(key) as final:
        if final.exists():
            place(final, Entry(folder, name_of(uuid)))


def strays(min_age_seconds: float) -> Iterator[UUID]:
    """Yield the uuids of partials that nobody has written to for so long."""
    before = time.time() - min_age_seconds
    with _folder() as folder:
        for name in os.listdir(folder):  # noqa: PTH208  an open folder
            if not (name.startswith(START) and name.endswith(END)):
                continue
            with suppress(FileNotFoundError, ValueError):
                if Entry(folder, name).stat().st_mtime <= before:
                    yield UUID(hex=name[len(START) : -len(END)])
