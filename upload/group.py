"""Small files put side by side, so that they share their waits for the disk.

File by file, each fsync waits for a write of its own. Here all files of a group are
written, and then waited for together where their file system can. Each is verified by
what the disk gives back and placed without replacing, as ``Tree.put`` does.
"""

import os
from collections.abc import Iterable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Self

from upload import whole_disk
from upload.copy_engine import Receipt, create, read_descriptor, receipt_of, verify
from upload.durable import Entry, most_descriptors, sync_file
from upload.errors import FILE_ERRORS, TargetOccupied
from upload.page_cache import fetch, forget
from upload.tree import Hand, Tree

SMALL_BYTES = 1 << 20
MOST_FILES = 256
FEWEST_TOGETHER = 2
WHOLE = range(0)


@dataclass(frozen=True, slots=True)
class Parcel:
    """One file to put: its key, its bytes, and what they must be."""

    key: str
    chunks: Iterable[bytes]
    expected: Receipt

    @property
    def is_small(self) -> bool:
        return self.expected.size_bytes <= SMALL_BYTES and bool(self.expected.sha256)


@dataclass(slots=True)
class _Staged:
    parcel: Parcel
    entry: Entry
    descriptor: int


def most_files() -> int:
    """Return how many files a group may hold open."""
    return most_descriptors(MOST_FILES)


def put_group(
    tree: Tree, parcels: Sequence[Parcel], hand: Hand
) -> dict[str, Exception]:
    """Put at most ``most_files()`` small files; return by key why some are not there.

    May be run twice. Names are durable with ``hand.syncs``. Any other error than one of
    ``FILE_ERRORS`` is raised, and what was not placed by then is dropped.
    """
    group = _Group(tree, hand)
    with group, tree.folder(tree.layout.folder, make=True) as folder:
        for parcel in parcels:
            group.stage(parcel, folder)
        group.sync(folder)
        for staged in group.staged:
            group.place(staged)
    return group.errors


class _Group:
    """The staged files of a group; those not placed are dropped when it ends."""

    def __init__(self, tree: Tree, hand: Hand) -> None:
        self.errors: dict[str, Exception] = {}
        self.staged: list[_Staged] = []
        self._tree, self._hand = tree, hand
        self._stack = ExitStack()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self._stack.close()

    def stage(self, parcel: Parcel, folder: int) -> None:
        """Write the parcel's bytes, not durably yet, or confirm those there already."""
        try:
            self._tree.parts(parcel.key)
            if self._tree.exists(parcel.key):
                self._tree.confirm(parcel.key, parcel.expected, self._hand)
            else:
                self._write(parcel, folder)
        except FILE_ERRORS as error:
            self.errors[parcel.key] = error

    def _write(self, parcel: Parcel, folder: int) -> None:
        entry = Entry(folder, self._tree.new_staging_name(self._hand))
        mode = self._tree.layout.file_mode
        self._stack.callback(entry.drop)
        descriptor = create(entry, parcel.chunks, mode, self._hand.beat)
        self._stack.callback(os.close, descriptor)
        self.staged.append(_Staged(parcel, entry, descriptor))

    def sync(self, folder: int) -> None:
        """Make all bytes durable, and have them read again from the disk."""
        alone = len(self.staged) < FEWEST_TOGETHER
        if alone or not whole_disk.sync(folder, self._hand.beat):
            self._sync_each()
        for staged in self.staged:
            forget(staged.descriptor, WHOLE)
            fetch(staged.descriptor)

    def _sync_each(self) -> None:
        for staged in self.staged:
            forget(staged.descriptor, WHOLE)  # begins to write out what is not
        for staged in self.staged:
            sync_file(staged.descriptor)
            self._hand.beat(0)

    def place(self, staged: _Staged) -> None:
        """Verify what the disk gives back and give it its name."""
        parcel = staged.parcel
        os.lseek(staged.descriptor, 0, os.SEEK_SET)
        try:
            verify(
                staged.entry.name,
                parcel.expected,
                receipt_of(read_descriptor(staged.descriptor)),
            )
            self._hand.beat(0)
            self._place(staged)
        except FILE_ERRORS as error:
            self.errors[parcel.key] = error

    def _place(self, staged: _Staged) -> None:
        parcel = staged.parcel
        try:
            parts = self._tree.parts(parcel.key)
            self._tree.place(staged.entry, parts, self._hand)
        except TargetOccupied:
            self._tree.confirm(parcel.key, parcel.expected, self._hand.still())
