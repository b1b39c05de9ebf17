"""Bytes on their way into a queued storage and out of it, hashed as they pass."""

from collections.abc import Callable, Iterator
from typing import Any

from django.core.files.base import File

from upload.copy_engine import CHUNK_BYTES, Hasher, Receipt, receipt_of, silent, verify


class Incoming(File):  # type: ignore[type-arg]  # File is not generic at run time
    """What is saved, with a receipt of what the local storage took.

    The receipt is None where the storage read in another way than from the first chunk
    to the last, or took text; then the file has to be read once more.
    """

    def __init__(self, content: Any, name: str | None) -> None:
        plain: Any = content if hasattr(content, "chunks") else File(content, name)
        super().__init__(getattr(plain, "file", plain), name)
        self._content = plain
        self.receipt: Receipt | None = None
        self._is_whole = True

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(name)
        if name == "temporary_file_path":
            return self._moved()
        return getattr(self._content, name)

    @property
    def read(self) -> Any:
        self._is_whole = False
        return self._content.read

    def _moved(self) -> Callable[[], str]:
        """Hash a file before the storage takes it as it is."""
        path: Callable[[], str] = self._content.temporary_file_path
        if self.receipt is None:
            self.receipt = receipt_of(self._content.chunks(CHUNK_BYTES), silent)
        return path

    def chunks(self, chunk_size: int | None = None) -> Iterator[Any]:
        self.receipt = None
        is_bytes = True
        with Hasher() as hasher:
            for chunk in self._content.chunks(chunk_size or CHUNK_BYTES):
                if isinstance(chunk, str):
                    is_bytes = False
                else:
                    hasher.update(chunk)
                yield chunk
        if is_bytes and self._is_whole:
            self.receipt = hasher.receipt()

    @property
    def size(self) -> Any:
        return self._content.size


class Outgoing(File):  # type: ignore[type-arg]  # File is not generic at run time
    """A local file on its way: stops when told, and never ends other than expected.

    ``check`` is called before each chunk and raises where the transfer shall end. What
    was sent stands in ``receipt``.
    """

    def __init__(
        self,
        opened: Any,
        name: str,
        expected: Receipt | None,
        check: Callable[[], None],
    ) -> None:
        super().__init__(opened, name)
        self._opened = opened
        self._expected = expected
        self._check = check
        self.receipt: Receipt | None = None

    @property
    def size(self) -> int:
        return self._expected.size_bytes if self._expected else int(self._opened.size)

    def chunks(self, chunk_size: int | None = None) -> Iterator[bytes]:
        with Hasher() as hasher:
            for chunk in self._opened.chunks(chunk_size or CHUNK_BYTES):
                self._check()
                hasher.update(chunk)
                yield chunk
        self.receipt = hasher.receipt()
        verify(self.name or "", self._expected, self.receipt)
