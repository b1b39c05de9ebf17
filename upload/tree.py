"""Durable files below one root: what the local storages and folder targets share.

A ``Tree`` writes under a staging name in the root's own file system, verifies, fsyncs,
places without replacing and fsyncs the folder. It follows no link below the root and
deletes only what it is told to by key.
"""

import os
import secrets
import stat
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import dataclass, replace
from itertools import count

from upload import paths
from upload.copy_engine import (
    PRIVATE_FILE,
    Beat,
    Receipt,
    begun,
    digest,
    read_chunks,
    silent,
    stage,
    verify,
)
from upload.durable import (
    Entry,
    FolderGone,
    FolderSyncs,
    occupied,
    place,
    sync_file,
    syncing,
)
from upload.errors import TargetOccupied, UnsafePath
from upload.wording import gettext as _

PLACING_TRIES = 20
STAGING_END = ".part"


@dataclass(frozen=True, slots=True)
class Layout:
    """Where staging files stand and which modes things get.

    Staging files are ``<folder>/<lead><owner prefix>.<random>-<n>.part``. No key may
    start with ``reserved``.
    """

    folder: tuple[str, ...]
    lead: str
    reserved: str
    file_mode: int = PRIVATE_FILE
    folder_mode: int = paths.PRIVATE_FOLDER


@dataclass(frozen=True, slots=True)
class Hand:
    """Who moves bytes: prefix of staging names, heartbeat, folders to sync later.

    ``read_back``: what was written is verified by reading the disk, not by what was
    handed to it.
    """

    prefix: str = "direct"
    beat: Beat = silent
    syncs: FolderSyncs | None = None
    read_back: bool = False

    def still(self) -> "Hand":
        """Return the same hand, whose heartbeat counts no bytes."""
        return replace(self, beat=lambda count: self.beat(0))


class Tree:
    """Files by key below the folder that ``open_root(mode)`` opens.

    ``open_root`` is asked for each deed, so that it may refuse a root that has changed;
    with a mode it may make the root.
    """

    def __init__(self, open_root: Callable[[int | None], int], layout: Layout) -> None:
        self._open_root = open_root
        self.layout = layout

    def folder(
        self, parts: Sequence[str], *, make: bool = False
    ) -> AbstractContextManager[int]:
        """Open a folder; with ``make`` it is made where it is missing."""
        return self._walked(parts, make=make)

    @contextmanager
    def _walked(self, parts: Sequence[str], *, make: bool) -> Iterator[int]:
        mode = self.layout.folder_mode if make else None
        with (
            paths.closing(self._open_root(mode)) as root,
            paths.walk(root, parts, mode) as folder,
        ):
            yield folder

    def forget(self, parts: Sequence[str]) -> None:
        """Let go of what is known of a folder; a plain tree keeps nothing."""

    def entry(self, key: str) -> AbstractContextManager[Entry]:
        """Open the folder of a key, which exists, and give the entry."""
        return self._entered(key)

    @contextmanager
    def _entered(self, key: str) -> Iterator[Entry]:
        *folders, name = self.parts(key)
        with self.folder(folders) as folder:
            yield Entry(folder, name)

    def parts(self, key: str) -> tuple[str, ...]:
        parts = paths.parts_of(key)
        if parts[0].casefold().startswith(self.layout.reserved):
            raise UnsafePath(
                _("“%(key)s” is refused: names with “%(reserved)s” are kept for us.")
                % {"key": key, "reserved": self.layout.reserved}
            )
        return parts

    def device(self) -> int:
        """Return the id of the root's file system; the root is made if missing."""
        with self.folder((), make=True) as root:
            return os.fstat(root).st_dev

    def status(self, key: str) -> os.stat_result:
        """Return the status of the regular file at a key."""
        with self.entry(key) as entry:
            return paths.regular(entry)

    def exists(self, key: str) -> bool:
        """Return whether anything stands at a key; False below a link."""
        try:
            with self.entry(key) as entry:
                return entry.exists()
        except (FileNotFoundError, NotADirectoryError, UnsafePath):
            return False

    def may_stand(self, parts: Sequence[str]) -> bool:
        """Return whether something may stand at a key's parts; placing finds out."""
        return self.exists("/".join(parts))

    def open(self, key: str) -> int:
        """Return a descriptor of the regular file at a key, open for reading."""
        with self.entry(key) as entry:
            return paths.open_regular(entry)

    def read(self, key: str) -> Iterator[bytes]:
        with self.entry(key) as entry:
            yield from read_chunks(entry)

    def receipt(self, key: str, beat: Beat = silent, *, fresh: bool = False) -> Receipt:
        """Return what the file at a key holds now; ``fresh`` by its disk alone."""
        with self.entry(key) as entry:
            return digest(entry, beat, fresh=fresh)

    def put(
        self, key: str, chunks: Iterable[bytes], expected: Receipt | None, hand: Hand
    ) -> Receipt:
        """Write ``chunks`` durably under exactly this key; may be run twice.

        The same bytes there already are success, without writing. Raise
        ``TargetOccupied`` for other bytes, ``DigestMismatch``; then nothing is kept.
        """
        with self.putting(key, chunks, expected, hand) as finish:
            return finish()

    @contextmanager
    def putting(
        self, key: str, chunks: Iterable[bytes], expected: Receipt | None, hand: Hand
    ) -> Iterator[Callable[[], Receipt]]:
        """Write as ``put`` does; yield what waits for the hashing, verifies and places.

        What was not placed is dropped at the end.
        """
        parts = self.parts(key)
        if expected is not None and expected.sha256 and self.exists(key):
            yield lambda: self.confirm(key, expected, hand)
            return
        with self._new_staging(chunks, hand) as (staging, receipt_of):

            def finish() -> Receipt:
                receipt = receipt_of()
                verify(staging.name, expected, receipt)
                hand.beat(0)
                try:
                    self.place(staging, parts, hand)
                except TargetOccupied:
                    return self.confirm(key, receipt, hand.still())
                return receipt

            yield finish

    @contextmanager
    def staged(
        self, chunks: Iterable[bytes], expected: Receipt | None, hand: Hand
    ) -> Iterator[tuple[Entry, Receipt]]:
        """Yield a verified staging file; what was not placed is dropped at the end."""
        with self._new_staging(chunks, hand) as (staging, receipt_of):
            receipt = receipt_of()
            verify(staging.name, expected, receipt)
            hand.beat(0)
            yield staging, receipt

    @contextmanager
    def _new_staging(
        self, chunks: Iterable[bytes], hand: Hand
    ) -> Iterator[tuple[Entry, Callable[[], Receipt]]]:
        """Yield a durable file and what tells its receipt; it is dropped at the end."""
        with self.folder(self.layout.folder, make=True) as folder:
            staging = Entry(folder, self.new_staging_name(hand))
            mode, back = self.layout.file_mode, hand.read_back
            try:
                with begun(chunks, staging, hand.beat, mode, read_back=back) as told:
                    yield staging, told
            finally:
                staging.drop()

    def new_staging_name(self, hand: Hand) -> str:
        return next(self.staging_names(hand))

    def staging_names(self, hand: Hand) -> Iterator[str]:
        """Yield names that nobody has, nor will have."""
        lead = f"{self.layout.lead}{hand.prefix}.{secrets.token_hex(8)}"
        return (f"{lead}-{number}{STAGING_END}" for number in count())

    def stage(self, chunks: Iterable[bytes], hand: Hand) -> tuple[str, Receipt]:
        """Write a durable staging file for ``place_staged`` and return its name."""
        with self.folder(self.layout.folder, make=True) as folder:
            staging = Entry(folder, self.new_staging_name(hand))
            receipt = stage(chunks, staging, hand.beat, self.layout.file_mode)
        return staging.name, receipt

    def read_staged(self, name: str) -> Iterator[bytes]:
        """Yield the bytes of what ``stage`` wrote."""
        with self.folder(self.layout.folder) as folder:
            yield from read_chunks(Entry(folder, name))

    def place_staged(self, name: str, key: str) -> None:
        """Place what ``stage`` wrote under ``key``; raise ``TargetOccupied``."""
        with self.folder(self.layout.folder) as folder:
            self.place(Entry(folder, name), self.parts(key), Hand())

    def drop_staged(self, name: str) -> None:
        """Drop what ``stage`` wrote; what was placed or dropped is fine."""
        with suppress(FileNotFoundError), self.folder(self.layout.folder) as folder:
            Entry(folder, name).drop()

    def place(self, staging: Entry, parts: Sequence[str], hand: Hand) -> None:
        """Place a staging file at ``parts``; raise ``TargetOccupied``."""
        self._at(parts, lambda final: place(staging, final, hand.syncs))

    def link(self, key: str, source: Entry, hand: Hand) -> None:
        """Give another tree's file a name here without copying.

        May be run twice. Raise ``OSError`` with ``EXDEV`` for another file system,
        ``TargetOccupied``, ``UnsafePath``.
        """
        hand.beat(0)
        self._at(
            self.parts(key),
            lambda final: paths.link_into_place(source, final, hand.syncs),
        )

    def _at[T](self, parts: Sequence[str], act: Callable[[Entry], T]) -> T:
        """Do ``act`` in the made folder; walk again while others prune it."""
        for _attempt in range(PLACING_TRIES):
            with suppress(FolderGone), self.folder(parts[:-1], make=True) as folder:
                return act(Entry(folder, parts[-1]))
            self.forget(parts[:-1])
        raise FolderGone(
            _("The folder of “%(key)s” was removed again and again. Try again later.")
            % {"key": "/".join(parts)}
        )

    def confirm(self, key: str, expected: Receipt, hand: Hand) -> Receipt:
        """Return the receipt of the same bytes at a key, made durable once more."""
        try:
            with self.entry(key) as entry, syncing(hand.syncs) as syncs:
                with paths.closing(paths.open_regular(entry)) as descriptor:
                    if os.fstat(descriptor).st_size != expected.size_bytes:
                        raise occupied(key)
                    sync_file(descriptor)
                found = digest(entry, hand.beat, fresh=True)
                syncs.add(entry.folder)
        except (NotADirectoryError, UnsafePath) as error:
            raise occupied(key) from error
        if not expected.agrees_with(found):
            raise occupied(key)
        return found

    def delete(self, key: str, syncs: FolderSyncs | None = None) -> None:
        """Unlink a key and prune its empty folders; a missing one is fine.

        A link is unlinked itself; an empty folder is removed.
        """
        *folders, name = self.parts(key)
        with (
            suppress(FileNotFoundError, NotADirectoryError),
            paths.closing(self._open_root(None)) as root,
            syncing(syncs) as pending,
        ):
            with paths.walk(root, folders) as folder:
                remove_entry(Entry(folder, name))
            paths.prune_empty(root, [folders], pending)

    def drop_staging(self, prefix: str, min_age_seconds: float = 0) -> int:
        """Drop staging files of an owner and return how many went.

        ``job-17-3`` names one owner, ``job-17-`` all whose names start so, ``""`` all.
        A dropped file can no longer be placed by whoever wrote it.
        """
        before = time.time() - min_age_seconds
        dropped = 0
        with suppress(FileNotFoundError), self.folder(self.layout.folder) as folder:
            for staging in self._staging(folder, prefix):
                with suppress(FileNotFoundError):
                    if staging.stat().st_mtime <= before:
                        os.unlink(staging.name, dir_fd=folder)
                        dropped += 1
        return dropped

    def _staging(self, folder: int, prefix: str) -> list[Entry]:
        dot = "" if not prefix or prefix.endswith("-") else "."
        start = f"{self.layout.lead}{prefix}{dot}"
        return [
            Entry(folder, name)
            for name in os.listdir(folder)
            if name.startswith(start) and name.endswith(STAGING_END)
        ]


def remove_entry(entry: Entry) -> None:
    """Unlink a file or a link, or remove an empty folder."""
    try:
        os.unlink(entry.name, dir_fd=entry.folder)
    except (IsADirectoryError, PermissionError):
        if not stat.S_ISDIR(entry.stat().st_mode):
            raise
        os.rmdir(entry.name, dir_fd=entry.folder)
