"""The storages that uploads live in, and what other rooms ask of any storage.

``TempFileStorage`` and ``UploadedFileStorage`` stand for the aliases ``temp`` and
``uploaded``. Any Django storage may stand behind an alias, so other rooms use the
functions here instead of ``path()`` or ``save()``.
"""

import errno
import os
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import IO, Self

from django.conf import settings
from django.core.files import File
from django.core.files.storage import FileSystemStorage, InMemoryStorage, Storage

from upload import paths
from upload.aliased import (
    AliasStorage,
    TempFileStorage,
    UploadedFileStorage,
    behind,
    has_rows,
    note_placed,
)
from upload.copy_engine import (
    CHUNK_BYTES,
    Beat,
    Receipt,
    digest,
    receipt_of,
    silent,
    verify,
)
from upload.disk import DurableFileSystemStorage
from upload.durable import Entry, FolderSyncs, occupied
from upload.errors import TargetOccupied
from upload.pinned import PinnedTree
from upload.tree import Hand, Tree

__all__ = [
    "AliasStorage",
    "Batch",
    "DurableFileSystemStorage",
    "TempFileStorage",
    "UploadedFileStorage",
    "digest_of",
    "drop_staging",
    "durable_tree",
    "fingerprint",
    "fingerprint_in",
    "free_bytes",
    "has_rows",
    "iter_chunks",
    "local_path",
    "note_placed",
    "receive_into",
    "whole_tree",
]

MUST_BE_STREAMED = {errno.EXDEV, errno.EMLINK, errno.EPERM, errno.ENOTSUP}


def durable_tree(storage: Storage) -> Tree | None:
    """Return the tree of a durable storage, seen through an alias.

    A queued storage has that of its local side, which need not hold every file.
    """
    inner = behind(storage)
    local = inner.local if has_rows(storage) else inner
    return local.tree if isinstance(local, DurableFileSystemStorage) else None


def whole_tree(storage: Storage) -> Tree | None:
    """Return the tree that holds every file of a storage, None where none does."""
    return None if has_rows(storage) else durable_tree(storage)


def _tree_with(storage: Storage, key: str) -> Tree | None:
    """Return the tree to read a key from, None where the storage has to be asked."""
    tree = durable_tree(storage)
    if tree is not None and has_rows(storage) and not tree.exists(key):
        return None
    return tree


class Batch:
    """Files that one owner writes to one storage; durable when the block has ended.

    After an error in the block each file of it is there or not, and none is promised.
    """

    def __init__(
        self, storage: Storage, staging_prefix: str = "direct", beat: Beat = silent
    ) -> None:
        self._storage = storage
        tree = durable_tree(storage)
        self._tree = None if tree is None else PinnedTree(tree)
        self._sources: dict[int, PinnedTree] = {}
        self._syncs = FolderSyncs()
        self._hand = Hand(staging_prefix, beat, self._syncs)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        try:
            if self._tree is not None and kind is None:
                self._tree.prune(self._syncs)
            self._syncs.__exit__(kind, error, trace)
        finally:
            self._syncs.close()
            for tree in (self._tree, *self._sources.values()):
                if tree is not None:
                    tree.close()

    def receive(
        self, key: str, chunks: Iterable[bytes], expected: Receipt | None = None
    ) -> Receipt:
        """Write ``chunks`` under exactly ``key``; see ``Tree.put``."""
        if self._tree is not None:
            return self._tree.put(key, chunks, expected, self._hand)
        return _save_exactly(self._storage, key, chunks, expected, self._hand.beat)

    def adopt(
        self,
        source: Storage,
        source_key: str,
        key: str,
        expected: Receipt,
        noted: str = "",
    ) -> None:
        """Put another storage's file under ``key``, verified; may be run twice.

        In one file system it is linked: at once if its fingerprint still is as
        ``noted`` at receipt, otherwise after its bytes were hashed again. Elsewhere it
        is streamed. Raise one of ``FILE_ERRORS``.
        """
        mine, theirs = self._tree, self._source(source)
        if mine is not None and theirs is not None and mine.device() == theirs.device():
            with paths.finding(source_key), theirs.entry(source_key) as entry:
                with paths.giving(source_key):
                    _verify_source(entry, source_key, expected, noted, self._hand.beat)
                if _linked(mine, key, entry, self._hand):
                    return
        self.receive(key, iter_chunks(source, source_key), expected)

    def _source(self, storage: Storage) -> PinnedTree | None:
        tree = durable_tree(storage)
        if tree is None:
            return None
        if id(tree) not in self._sources:
            self._sources[id(tree)] = PinnedTree(tree)
        return self._sources[id(tree)]

    def delete(self, key: str) -> None:
        """Delete one key; a missing one is fine."""
        if self._tree is None or has_rows(self._storage):
            self._storage.delete(key)
        else:
            self._tree.delete(key, self._syncs)


def _verify_source(
    source: Entry, key: str, expected: Receipt, noted: str, beat: Beat
) -> None:
    """Compare the size, and all bytes where the file is not as it was noted."""
    seen = paths.regular(source)
    verify(key, Receipt(expected.size_bytes, ""), Receipt(seen.st_size, ""))
    if _print_of(seen) != noted:
        verify(key, expected, digest(source, beat))


def _linked(mine: Tree, key: str, source: Entry, hand: Hand) -> bool:
    """Link a file; return False where it has to be streamed or stands there already."""
    try:
        mine.link(key, source, hand)
    except TargetOccupied:
        return False
    except OSError as error:
        if error.errno not in MUST_BE_STREAMED:
            raise
        return False
    return True


def receive_into(
    storage: Storage,
    key: str,
    chunks: Iterable[bytes],
    expected: Receipt | None = None,
    beat: Beat = silent,
) -> Receipt:
    """Write ``chunks`` durably under exactly ``key`` of any storage; may be run twice.

    The same bytes there already are success. Raise ``TargetOccupied`` for other bytes,
    ``DigestMismatch`` if what came or what is read back is not as expected; then
    nothing is kept.
    """
    with Batch(storage, beat=beat) as batch:
        return batch.receive(key, chunks, expected)


def _save_exactly(
    storage: Storage,
    key: str,
    chunks: Iterable[bytes],
    expected: Receipt | None,
    beat: Beat,
) -> Receipt:
    """Spool, save and read back: a foreign storage may seek, rename or lose bytes."""
    paths.parts_of(key)
    with tempfile.TemporaryFile(dir=settings.FILE_UPLOAD_TEMP_DIR) as spool:
        receipt = receipt_of(_spooled(chunks, spool), beat)
        verify(key, expected, receipt)
        if storage.exists(key):
            if not digest_of(storage, key, lambda count: beat(0)).agrees_with(receipt):
                raise occupied(key)
            return receipt
        spool.seek(0)
        saved = storage.save(key, File(spool, key))
    _check_saved(storage, key, saved, receipt, beat)
    return receipt


def _spooled(chunks: Iterable[bytes], spool: IO[bytes]) -> Iterator[bytes]:
    for chunk in chunks:
        spool.write(chunk)
        yield chunk


def _check_saved(
    storage: Storage, key: str, saved: str, receipt: Receipt, beat: Beat
) -> None:
    try:
        if saved != key:
            raise occupied(key)
        verify(key, receipt, digest_of(storage, saved, lambda count: beat(0)))
    except BaseException:
        storage.delete(saved)
        raise


def iter_chunks(storage: Storage, key: str) -> Iterator[bytes]:
    """Yield the bytes of a key by 1 MiB; the first step opens the file.

    Raise ``SourceMissing`` if there is none, ``SourceUnreadable``.
    """
    tree = _tree_with(storage, key)
    with paths.giving(key):
        if tree is not None:
            yield from tree.read(key)
        else:
            with storage.open(key, "rb") as file:
                yield from file.chunks(CHUNK_BYTES)


def digest_of(
    storage: Storage, key: str, beat: Beat = silent, *, fresh: bool = False
) -> Receipt:
    """Read a key in full and return what it holds now; ``fresh`` from its disk."""
    tree = _tree_with(storage, key)
    if fresh and tree is not None:
        with paths.giving(key):
            return tree.receipt(key, beat, fresh=True)
    return receipt_of(iter_chunks(storage, key), beat)


def fingerprint(storage: Storage, key: str) -> str:
    """Return a text that changes when somebody writes to the file, ``""`` if unknown.

    It changes at a link, rename or chmod too: a difference says only that the bytes
    must be hashed again. Raise ``SourceMissing`` where there is no file.
    """
    tree = durable_tree(storage)
    if tree is None:
        return ""
    return fingerprint_in(tree, key)


def fingerprint_in(tree: Tree, key: str) -> str:
    """Return the ``fingerprint`` of a tree's file; raise ``SourceMissing``."""
    with paths.finding(key):
        return _print_of(tree.status(key))


def _print_of(seen: os.stat_result) -> str:
    return f"{seen.st_ino}-{seen.st_size}-{seen.st_mtime_ns}-{seen.st_ctime_ns}"


def local_path(storage: Storage, key: str) -> Path | None:
    """Return where a key's file stands on this machine, None if it does not."""
    inner = behind(storage)
    if isinstance(inner, InMemoryStorage):  # its paths are invented
        return None
    with suppress(NotImplementedError):
        return Path(inner.path(key))
    return None


def free_bytes(storage: Storage) -> int | None:
    """Return the space left for us in a local storage, None for others."""
    inner = behind(storage)
    is_plain = isinstance(inner, FileSystemStorage)
    root = Path(inner.location) if is_plain else local_path(inner, "")
    if root is None:
        return None
    with suppress(*paths.NOWHERE):
        return paths.free_bytes(root)
    return paths.free_bytes(next(place for place in root.parents if place.exists()))


def drop_staging(storage: Storage, prefix: str, min_age_seconds: float = 0) -> int:
    """Drop staging files of an owner; see ``Tree.drop_staging``."""
    tree = durable_tree(storage)
    return 0 if tree is None else tree.drop_staging(prefix, min_age_seconds)
