"""Files of one request, written once: to the temporary storage's own file system.

``intake`` stages the parts while they arrive; ``receive`` places each under its key
without a second copy. What was not placed is dropped when the block ends; what a crash
leaves there is swept after a grace age.
"""

import tempfile
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack
from functools import cached_property, partial
from types import TracebackType
from typing import IO, Self

from django.conf import settings
from django.core.files.uploadedfile import UploadedFile

from upload import sniff
from upload.copy_engine import CHUNK_BYTES, Receipt, receipt_of, verify
from upload.pinned import PinnedTree
from upload.storage import (
    TempFileStorage,
    durable_tree,
    fingerprint,
    fingerprint_in,
    receive_into,
)
from upload.tree import Hand, Tree

type Place = Callable[[str, Receipt | None], Receipt]
type Held = tuple[Callable[[], Iterator[bytes]], Place]


class StagedFile(UploadedFile):
    """A file whose bytes are durable and hashed, but under no key yet.

    ``name`` must already be clean. ``head`` is its first bytes. ``withdraw`` is called
    with the key where the file is refused after it was, or may have been, placed;
    ``fingerprint`` with the key of what was placed.
    """

    def __init__(self, name: str, head: bytes, receipt: Receipt, held: Held) -> None:
        super().__init__(file=None, name=name, size=receipt.size_bytes)
        self.head, self.receipt = head, receipt
        self._reread, self._place = held
        storage = TempFileStorage()
        self.withdraw: Callable[[str], None] = storage.delete
        self.fingerprint: Callable[[str], str] = partial(fingerprint, storage)

    @cached_property
    def kind(self) -> str:
        """The content type that its first bytes and its name tell."""
        return sniff.sniff(self.head, self.name or "")

    def chunks(self, chunk_size: int | None = None) -> Iterator[bytes]:
        """Yield the staged bytes; may be asked again until they are placed."""
        return self._reread()

    def place(self, key: str, expected: Receipt | None) -> Receipt:
        """Put the bytes under ``key``; raise ``DigestMismatch`` if not as expected."""
        verify(self.name or "", expected, self.receipt)
        return self._place(key, expected)


class Staging:
    """Stages files until the block ends."""

    def __init__(self) -> None:
        self._storage = TempFileStorage()
        self._open = ExitStack()
        tree = durable_tree(self._storage)
        self._tree = None if tree is None else PinnedTree(tree)
        if self._tree is not None:
            self._open.callback(self._tree.close)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._open.close()

    def take(self, name: str, chunks: Iterable[bytes]) -> StagedFile:
        """Write a file durably; on any error in ``chunks`` nothing of it is kept."""
        head = bytearray()
        seen = _remember(chunks, head)
        if self._tree is None:
            receipt, held = self._spool(seen)
            return StagedFile(name, bytes(head), receipt, held)
        receipt, held = self._stage(self._tree, seen)
        staged = StagedFile(name, bytes(head), receipt, held)
        staged.fingerprint = partial(fingerprint_in, self._tree)
        return staged

    def _stage(self, tree: Tree, chunks: Iterable[bytes]) -> tuple[Receipt, Held]:
        staging, receipt = tree.stage(chunks, Hand("intake"))
        self._open.callback(tree.drop_staged, staging)

        def place(key: str, expected: Receipt | None) -> Receipt:
            tree.place_staged(staging, key)
            return receipt

        return receipt, (lambda: tree.read_staged(staging), place)

    def _spool(self, chunks: Iterable[bytes]) -> tuple[Receipt, Held]:
        """Keep the bytes of a storage that has no staging in a file without a name."""
        folder = settings.FILE_UPLOAD_TEMP_DIR
        spool = tempfile.TemporaryFile(dir=folder)  # noqa: SIM115  closed with us
        self._open.callback(spool.close)
        receipt = receipt_of(_written(chunks, spool))

        def reread() -> Iterator[bytes]:
            spool.seek(0)
            return iter(lambda: spool.read(CHUNK_BYTES), b"")

        def place(key: str, expected: Receipt | None) -> Receipt:
            return receive_into(self._storage, key, reread(), receipt)

        return receipt, (reread, place)


def _remember(chunks: Iterable[bytes], head: bytearray) -> Iterator[bytes]:
    for chunk in chunks:
        if len(head) < sniff.HEAD_BYTES:
            head += chunk[: sniff.HEAD_BYTES - len(head)]
        yield chunk


def _written(chunks: Iterable[bytes], spool: IO[bytes]) -> Iterator[bytes]:
    for chunk in chunks:
        spool.write(chunk)
        yield chunk
