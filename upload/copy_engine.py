"""Bytes on the move: hash, stage, read and verify. It knows no rows and no storages.

The caller's thread reads, writes and beats, so that a heartbeat may use the caller's
database connection; long files are hashed, and copies read back, beside it.
"""

import hashlib
import os
import queue
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from upload.durable import Entry, sync_data, sync_file, write_all
from upload.errors import DigestMismatch, ShortWrite
from upload.page_cache import (
    announce_reading,
    forget,
    is_in_memory,
    start_writing,
    wait_for_writing,
)
from upload.paths import ROOT_FLAGS, closing, open_regular
from upload.whole_disk import writes_out
from upload.wording import gettext as _

CHUNK_BYTES = 1 << 20
# Each such stretch is waited for on its own while the next is written, so that the last
# fsync stays short, and is then forgotten: a long file must not push all else out of
# the system's memory.
SYNC_EVERY_BYTES = 32 << 20
# So much is handed to the disk at once, while the next bytes come.
START_EVERY_BYTES = 4 << 20
FORGET_EVERY_BYTES = 8 << 20
HASH_ASIDE_BYTES = 8 << 20
CHUNKS_WAITING = 1
PRIVATE_FILE = 0o600
STAGE_FLAGS = os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC

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

    The thread has ended with the receipt or the block, whichever comes first.
    """

    def __init__(self) -> None:
        self.size_bytes = 0
        self._sha256 = hashlib.sha256()
        self._waiting: queue.Queue[Any]  # is there with the thread
        self._thread: threading.Thread | None = None
        self._is_dropped = False
        self._error: BaseException | None = None

    def update(self, chunk: bytes) -> None:
        self.size_bytes += len(chunk)
        self._hand_on(chunk)

    def written(self, end: int) -> None:
        """Hear that the first ``end`` bytes were written out, so can be read again."""

    def _hand_on(self, piece: Any) -> None:
        if self._thread is None and self._is_worth_a_thread():
            self._waiting = queue.Queue(CHUNKS_WAITING)
            thread = threading.Thread(target=self._run, name="sha256", daemon=True)
            with suppress(RuntimeError):  # no more threads here, or the process ends
                thread.start()
                self._thread = thread
        if self._thread is None:
            self._hash(piece)
        else:
            self._waiting.put(piece)

    def _is_worth_a_thread(self) -> bool:
        return self.size_bytes > HASH_ASIDE_BYTES

    def _run(self) -> None:
        """Hash what waits up to the closing None; what nobody wants is only drained."""
        while (piece := self._waiting.get()) is not None:
            try:
                if self._error is None and not self._is_dropped:
                    self._hash(piece)
            except BaseException as error:  # noqa: BLE001 - raised again in __exit__
                self._error = error

    def _hash(self, piece: Any) -> None:
        self._sha256.update(piece)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._is_dropped = kind is not None
        self._end()
        if self._error is not None and kind is None:
            raise self._error

    def _end(self) -> None:
        """Wait until all that was handed on is hashed."""
        thread, self._thread = self._thread, None
        if thread is not None:
            self._waiting.put(None)
            thread.join()

    def receipt(self) -> Receipt:
        """Return what was counted and hashed; nothing may come after it."""
        self._end()
        if self._error is not None:
            raise self._error
        return Receipt(self.size_bytes, self._sha256.hexdigest())


class ReadBack(Hasher):
    """Hashes what the disk gives back, beside whatever is written next.

    The bytes are hashed once, and what is hashed is what the file really holds.
    """

    def __init__(self, descriptor: int) -> None:
        super().__init__()
        self._descriptor = descriptor
        self._handed_on = 0

    def update(self, chunk: bytes) -> None:
        self.size_bytes += len(chunk)

    def _is_worth_a_thread(self) -> bool:
        return True  # it waits for the disk

    def written(self, end: int) -> None:
        start, self._handed_on = self._handed_on, end
        self._hand_on(range(start, end))

    def _hash(self, piece: Any) -> None:
        forget(self._descriptor, piece)
        for start in piece[::CHUNK_BYTES]:
            if self._is_dropped:
                return
            count = min(CHUNK_BYTES, piece.stop - start)
            self._sha256.update(os.pread(self._descriptor, count, start))
        forget(self._descriptor, piece)


def set_mode(descriptor: int, mode: int) -> None:
    if mode != PRIVATE_FILE:
        with suppress(PermissionError):  # FAT has no modes
            os.fchmod(descriptor, mode)


def stage(
    chunks: Iterable[bytes],
    staging: Entry,
    beat: Beat = silent,
    mode: int = PRIVATE_FILE,
    *,
    read_back: bool = False,
) -> Receipt:
    """Write a new file durably under a staging name and return what was written.

    See ``begun`` for errors, ``beat`` and ``read_back``.
    """
    with begun(chunks, staging, beat, mode, read_back=read_back) as finish:
        return finish()


@contextmanager
def begun(
    chunks: Iterable[bytes],
    staging: Entry,
    beat: Beat = silent,
    mode: int = PRIVATE_FILE,
    *,
    read_back: bool = False,
) -> Iterator[Callable[[], Receipt]]:
    """Write a new file durably under a staging name; yield what tells what it holds.

    The last bytes may still be hashed meanwhile; what is yielded waits for that. With
    ``read_back`` the digest is that of what the disk gives back. On any error,
    ``beat``'s included, the staging file is dropped and the error passes. ``beat`` is
    called after each chunk with its number of bytes.
    """
    descriptor = os.open(staging.name, STAGE_FLAGS, PRIVATE_FILE, dir_fd=staging.folder)
    try:
        with (
            closing(descriptor),
            ReadBack(descriptor) if read_back else Hasher() as hasher,
        ):
            _write(descriptor, chunks, beat, hasher)
            set_mode(descriptor, mode)
            sync_file(descriptor)
            hasher.written(hasher.size_bytes)
            yield hasher.receipt
    except BaseException:
        staging.drop()
        raise


def _write(
    descriptor: int, chunks: Iterable[bytes], beat: Beat, hasher: Hasher
) -> None:
    written = marked = started = 0
    for chunk in chunks:
        data = bytes(chunk)  # the hashing thread must not see a buffer reused
        hasher.update(data)
        write_all(descriptor, data)
        if hasher.size_bytes - started >= START_EVERY_BYTES:
            start_writing(descriptor, started, hasher.size_bytes - started)
            started = hasher.size_bytes
        if hasher.size_bytes - marked >= SYNC_EVERY_BYTES:
            if marked:
                _let_go(descriptor, range(written, marked), hasher)
            written, marked = marked, hasher.size_bytes
        beat(len(data))
    if hasher.size_bytes > started:
        start_writing(descriptor, started, hasher.size_bytes - started)
    require_length(descriptor, hasher.size_bytes)


def _let_go(descriptor: int, stretch: range, hasher: Hasher) -> None:
    """Wait for a stretch that has been on its way to the disk while the next came."""
    if not (writes_out(descriptor) and wait_for_writing(descriptor, stretch)):
        sync_data(descriptor)
    forget(descriptor, stretch)
    hasher.written(stretch.stop)


def require_length(descriptor: int, size_bytes: int) -> None:
    found = os.fstat(descriptor).st_size
    if found != size_bytes:
        raise ShortWrite(
            _(
                "%(written)d bytes were written, but the file holds %(found)d. It was "
                "dropped; check the file system, then try again."
            )
            % {"written": size_bytes, "found": found}
        )


def _opened(source: Source) -> int:
    """Open a regular file; the folders of a path are trusted, its file is not."""
    if isinstance(source, Entry):
        return open_regular(source)
    with closing(os.open(source.parent, ROOT_FLAGS)) as folder:
        return open_regular(Entry(folder, source.name))


def read_chunks(source: Source, *, fresh: bool = False) -> Iterator[bytes]:
    """Yield a regular file's bytes by 1 MiB; raise ``UnsafePath`` for anything else.

    ``fresh``: from the disk and not from memory, where the system can be asked so;
    the file must have been fsynced.
    """
    with closing(_opened(source)) as descriptor:
        if fresh:
            forget(descriptor, range(0))
        yield from read_descriptor(descriptor)


def read_descriptor(descriptor: int) -> Iterator[bytes]:
    """Yield the bytes from where an open file stands, by 1 MiB.

    A long file that was not in memory before does not stay there afterwards.
    """
    if os.fstat(descriptor).st_size < FORGET_EVERY_BYTES:
        while chunk := os.read(descriptor, CHUNK_BYTES):
            yield chunk
        return
    place = kept = os.lseek(descriptor, 0, os.SEEK_CUR)
    announce_reading(descriptor)
    was_cold = not is_in_memory(descriptor, place)
    while chunk := os.read(descriptor, CHUNK_BYTES):
        place += len(chunk)
        if was_cold and place - kept >= FORGET_EVERY_BYTES:
            forget(descriptor, range(kept, place))
            kept = place
        yield chunk


def receipt_of(chunks: Iterable[bytes], beat: Beat = silent) -> Receipt:
    """Hash all chunks; ``beat`` is called after each with its number of bytes."""
    with Hasher() as hasher:
        for chunk in chunks:
            hasher.update(bytes(chunk))
            beat(len(chunk))
    return hasher.receipt()


def digest(source: Source, beat: Beat = silent, *, fresh: bool = False) -> Receipt:
    """Return what a regular file holds now; ``fresh`` as for ``read_chunks``."""
    return receipt_of(read_chunks(source, fresh=fresh), beat)
