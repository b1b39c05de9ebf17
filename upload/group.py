"""Small files put side by side, so that they share their waits for the disk.

File by file, each fsync waits for a write of its own. Here all files of a group are
written, and then waited for together where their file system can, while the next group
is written. Each is verified by what the disk gives back and placed without replacing,
as ``Tree.put`` does.
"""

import hashlib
import os
from collections.abc import Iterable, Sequence
from contextlib import AbstractContextManager, ExitStack, nullcontext
from dataclasses import dataclass

from upload import whole_disk
from upload.copy_engine import (
    PRIVATE_FILE,
    STAGE_FLAGS,
    Beat,
    Receipt,
    require_length,
    set_mode,
    verify,
)
from upload.durable import Entry, most_descriptors, sync_file, write_all
from upload.errors import FILE_ERRORS, TargetOccupied
from upload.overlap import Overlapping
from upload.page_cache import fetch, forget
from upload.paths import ROOT_FLAGS, closing
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
    parts: tuple[str, ...]
    entry: Entry
    descriptor: int
    is_placed: bool = False


def most_files() -> int:
    """Return how many files a group may hold open: two are at a time."""
    return max(1, most_descriptors(2 * MOST_FILES) // 2)


class Groups(Overlapping):
    """Puts groups: while the disk takes one in, the next is written.

    All files but those in ``errors`` are placed when the block has ended without an
    error; names are durable with ``hand.syncs``. May be run twice.
    """

    def put(self, parcels: Sequence[Parcel]) -> None:
        """Write at most ``most_files()`` small files, then place those before them."""
        with ExitStack() as stack:
            entered = self._tree.folder(self._tree.layout.folder, make=True)
            folder = stack.enter_context(entered)
            # Opened before the first byte, and not shared: an error is told once.
            disk = stack.enter_context(closing(os.open(".", ROOT_FLAGS, dir_fd=folder)))
            group = _Group(self._tree, self._hand, folder, self.errors)
            stack.callback(group.close)
            for parcel in parcels:
                group.stage(parcel)
            stack.enter_context(group.begin_sync(disk))
            self._begun(stack, group.place_all)


class _Group:
    """The staged files of a group; those not placed are dropped when it is closed."""

    def __init__(
        self, tree: Tree, hand: Hand, folder: int, errors: dict[str, Exception]
    ) -> None:
        self._errors = errors
        self._staged: list[_Staged] = []
        self._tree, self._hand, self._folder = tree, hand, folder
        self._names = tree.staging_names(hand)
        self._sync: whole_disk.Sync | None = None

    def close(self) -> None:
        with ExitStack() as stack:  # one that fails does not keep the others
            for staged in self._staged:
                if not staged.is_placed:
                    stack.callback(staged.entry.drop)
                    stack.callback(os.close, staged.descriptor)

    def stage(self, parcel: Parcel) -> None:
        """Write the parcel's bytes, not durably yet, or confirm those there already."""
        try:
            parts = self._tree.parts(parcel.key)
            if self._tree.may_stand(parts):
                self._tree.confirm(parcel.key, parcel.expected, self._hand)
            else:
                self._write(parcel, parts)
        except FILE_ERRORS as error:
            self._errors[parcel.key] = error

    def _write(self, parcel: Parcel, parts: tuple[str, ...]) -> None:
        entry = Entry(self._folder, next(self._names))
        mode = self._tree.layout.file_mode
        try:
            descriptor = create(entry, parcel.chunks, mode, self._hand.beat)
        except BaseException:
            entry.drop()
            raise
        self._staged.append(_Staged(parcel, parts, entry, descriptor))

    def begin_sync(self, disk: int) -> AbstractContextManager[object]:
        """Begin to make the bytes durable; what is returned outlives ``place_all``."""
        if len(self._staged) < FEWEST_TOGETHER:
            return nullcontext()
        self._sync = whole_disk.Sync(disk)
        return self._sync

    def place_all(self) -> None:
        """Make the bytes durable and give the files their names."""
        self._sync_all()
        for staged in self._staged:
            self._place(staged)

    def _sync_all(self) -> None:
        """Make all bytes durable, and have them read again from the disk."""
        if self._sync is None or not self._sync.wait(self._hand.beat):
            self._sync_each()
        for staged in self._staged:
            forget(staged.descriptor, WHOLE)
            fetch(staged.descriptor)

    def _sync_each(self) -> None:
        for staged in self._staged:
            forget(staged.descriptor, WHOLE)  # begins to write out what is not
        for staged in self._staged:
            sync_file(staged.descriptor)
            self._hand.beat(0)

    def _place(self, staged: _Staged) -> None:
        """Verify what the disk gives back and give it its name."""
        parcel = staged.parcel
        expected = parcel.expected
        try:
            found = receipt_of_small(staged.descriptor, expected.size_bytes)
            verify(staged.entry.name, expected, found)
            self._hand.beat(0)
            self._name(staged)
        except FILE_ERRORS as error:
            self._errors[parcel.key] = error

    def _name(self, staged: _Staged) -> None:
        parcel = staged.parcel
        try:
            self._tree.place(staged.entry, staged.parts, self._hand)
            staged.is_placed = True
            os.close(staged.descriptor)
        except TargetOccupied:
            self._tree.confirm(parcel.key, parcel.expected, self._hand.still())


def create(staging: Entry, chunks: Iterable[bytes], mode: int, beat: Beat) -> int:
    """Write a new file under a staging name; return its descriptor, for reading too.

    Nothing of it is durable yet. The caller closes the descriptor and drops the name,
    also that of a file which could not be written whole.
    """
    descriptor = os.open(staging.name, STAGE_FLAGS, PRIVATE_FILE, dir_fd=staging.folder)
    try:
        size_bytes = 0
        for chunk in chunks:
            write_all(descriptor, chunk)
            size_bytes += len(chunk)
            beat(len(chunk))
        require_length(descriptor, size_bytes)
        set_mode(descriptor, mode)
    except BaseException:
        os.close(descriptor)
        raise
    return descriptor


def receipt_of_small(descriptor: int, size_bytes: int) -> Receipt:
    """Hash an open file that should hold so few bytes that they are read at once.

    One more is asked for, so that a file which is longer is told by its size.
    """
    held = b""
    while more := os.pread(descriptor, size_bytes + 1 - len(held), len(held)):
        held += more
    return Receipt(len(held), hashlib.sha256(held).hexdigest())
