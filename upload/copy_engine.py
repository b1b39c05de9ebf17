"""Bytes on the move: hash, stage, read and verify. It knows no rows and no storages.

The caller's thread reads, writes and beats, so that a heartbeat may use the caller's
database connection; only hashing of long files runs beside it.
"""

import hashlib
import os
import queue
import stat
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

from django.utils.translation import gettext as _

from upload.durable import (
    Entry,
    FolderSyncs,
    link,
    sync_data,
    sync_file,
    syncing,
    write_all,
)
from upload.errors import DigestMismatch, ShortWrite
from upload.paths import ROOT_FLAGS, closing, open_regular, unsafe

CHUNK_BYTES = 1 << 20
# Each such stretch is written out on its own, so that the last fsync stays short.
SYNC_EVERY_BYTES = 128 << 20
HASH_ASIDE_BYTES = 8 << 20
CHUNKS_WAITING = 8
PRIVATE_FILE = 0o600
STAGE_FLAGS = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC

type Beat = Callable[[int], None]
type Source = Path | Entry


def silent(count: int) -> None:
    """Take a heartbeat and do nothing."""


@dataclass(frozen=True, slots=True)
class Receipt:
    """What bytes are: their count and SHA-256 as hex; ``""`` is an unknown digest."""

    size_bytes: int
    sha256: str

    def agrees_with(self, other: "Receipt") -> bool:
        """Return whether both may be the same bytes; an unknown digest agrees."""
        if self.size_bytes != other.size_bytes:
            return False
        if not (self.sha256 and other.sha256):
            return True
        return self.sha256.lower() == other.sha256.lower()


def verify(name: str, expected: Receipt | None, actual: Receipt) -> None:
    """Raise ``DigestMismatch`` unless ``actual`` is as expected."""
    if expected is not None and not expected.agrees_with(actual):
        raise DigestMismatch(
            name,
            (expected.size_bytes, expected.sha256 or "unknown"),
            (actual.size_bytes, actual.sha256 or "unknown"),
        )


class Hasher:
    """Counts and hashes chunks; past 8 MiB a thread of its own does the hashing.

    The receipt is there when the block has ended without an error; the thread has
    ended then in every case.
    """

    def __init__(self) -> None:
        self._sha256 = hashlib.sha256()
        self._size_bytes = 0
        self._waiting: queue.Queue[bytes | None] = queue.Queue(CHUNKS_WAITING)
        self._thread: threading.Thread | None = None
        self._error: BaseException | None = None

    def update(self, chunk: bytes) -> None:
        self._size_bytes += len(chunk)
        if self._thread is None and self._size_bytes > HASH_ASIDE_BYTES:
            thread = threading.Thread(target=self._hash, name="sha256", daemon=True)
            thread.start()
            self._thread = thread
        if self._thread is None:
            self._sha256.update(chunk)
        else:
            self._waiting.put(chunk)

    def _hash(self) -> None:
        """Hash what waits up to the closing None; after an error only drain it."""
        while (chunk := self._waiting.get()) is not None:
            try:
                if self._error is None:
                    self._sha256.update(chunk)
            except BaseException as error:  # noqa: BLE001 - raised again in __exit__
                self._error = error

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._thread is not None:
            self._waiting.put(None)
            self._thread.join()
        if self._error is not None and kind is None:
            raise self._error

    def receipt(self) -> Receipt:
        return Receipt(self._size_bytes, self._sha256.hexdigest())


def stage(
    chunks: Iterable[bytes],
    staging: Entry,
    beat: Beat = silent,
    mode: int = PRIVATE_FILE,
) -> Receipt:
    """Write a new file durably under a staging name and return what was written.

    On any error, ``beat``'s included, the staging file is dropped and the error
    passes. ``beat`` is called after each chunk with its number of bytes.
    """
    descriptor = os.open(staging.name, STAGE_FLAGS, PRIVATE_FILE, dir_fd=staging.folder)
    try:
        with closing(descriptor):
            receipt = _write(descriptor, chunks, beat)
            if mode != PRIVATE_FILE:
                with suppress(PermissionError):  # FAT has no modes
                    os.fchmod(descriptor, mode)
            sync_file(descriptor)
    except BaseException:
        staging.drop()
        raise
    return receipt


def _write(descriptor: int, chunks: Iterable[bytes], beat: Beat) -> Receipt:
    unsynced = 0
    with Hasher() as hasher:
        for chunk in chunks:
            data = bytes(chunk)  # the hashing thread must not see a buffer reused
            hasher.update(data)
            write_all(descriptor, data)
            unsynced += len(data)
            if unsynced >= SYNC_EVERY_BYTES:
                sync_data(descriptor)
                unsynced = 0
            beat(len(data))
    receipt = hasher.receipt()
    _require_length(descriptor, receipt.size_bytes)
    return receipt


def _require_length(descriptor: int, size_bytes: int) -> None:
    found = os.fstat(descriptor).st_size
    if found != size_bytes:
        raise ShortWrite(
            _(
                "%(written)d bytes were written, but the file holds %(found)d. It was "
                "dropped; check the file system, then try again."
            )
            % {"written": size_bytes, "found": found}
        )


@contextmanager
def _entry(source: Source) -> Iterator[Entry]:
    """Yield the entry of a path; the folders of a path are trusted, its file is not."""
    if isinstance(source, Entry):
        yield source
        return
    with closing(os.open(source.parent, ROOT_FLAGS)) as folder:
        yield Entry(folder, source.name)


def read_chunks(source: Source) -> Iterator[bytes]:
    """Yield a regular file's bytes by 1 MiB; raise ``UnsafePath`` for anything else."""
    with _entry(source) as entry, closing(open_regular(entry)) as descriptor:
        yield from read_descriptor(descriptor)


def read_descriptor(descriptor: int) -> Iterator[bytes]:
    """Yield the bytes from where an open file stands, by 1 MiB."""
    if hasattr(os, "posix_fadvise"):
        os.posix_fadvise(descriptor, 0, 0, os.POSIX_FADV_SEQUENTIAL)
    while chunk := os.read(descriptor, CHUNK_BYTES):
        yield chunk


def receipt_of(chunks: Iterable[bytes], beat: Beat = silent) -> Receipt:
    """Hash all chunks; ``beat`` is called after each with its number of bytes."""
    with Hasher() as hasher:
        for chunk in chunks:
            hasher.update(bytes(chunk))
            beat(len(chunk))
    return hasher.receipt()


def digest(source: Source, beat: Beat = silent) -> Receipt:
    """Return what a regular file holds now."""
    return receipt_of(read_chunks(source), beat)


def link_into_place(
    source: Entry, final: Entry, syncs: FolderSyncs | None = None
) -> os.stat_result:
    """Give a regular file a second name in its file system, without copying bytes.

    Return the file's status. What is linked there already is success. Raise
    ``UnsafePath``, ``TargetOccupied``, ``FolderGone``, or ``OSError`` with ``EXDEV``
    where the file has to be streamed instead.
    """
    seen = source.stat()
    if not stat.S_ISREG(seen.st_mode):
        raise unsafe(source.name)
    with syncing(syncs) as pending:
        link(source, final)
        if not os.path.samestat(seen, final.stat()):
            final.drop()
            raise unsafe(source.name)
        pending.add(final.folder)
    return seen
