"""A file elsewhere as a file object: streamed, seekable, and never silently short."""

import io
from collections.abc import Callable, Generator, Iterator
from contextlib import suppress
from typing import Any

from django.core.files.base import File
from django.utils.translation import gettext as _

from upload.copy_engine import CHUNK_BYTES

type Opening = Callable[[int], Iterator[bytes]]


def opened(told: tuple[str, str], size_bytes: int, opening: Opening) -> "File[Any]":
    """Return a file of this name and mode; its bytes are asked for when first read."""
    name, mode = told
    raw = Reader(size_bytes, opening)
    stream: Any = io.BufferedReader(raw, CHUNK_BYTES)
    if "b" not in mode:
        stream = io.TextIOWrapper(stream, encoding="utf-8")
    file: Any = File(stream, name)
    file.size = size_bytes
    file.mode = mode
    return file


class Reader(io.RawIOBase):
    """``opening(start)`` yields the bytes from there; it is closed with the file."""

    def __init__(self, size_bytes: int, opening: Opening) -> None:
        self._size_bytes = size_bytes
        self._opening = opening
        self._position = 0
        self._stream: Iterator[bytes] | None = None
        self._waiting = memoryview(b"")

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._position

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        start = {io.SEEK_CUR: self._position, io.SEEK_END: self._size_bytes}
        position = max(0, start.get(whence, 0) + offset)
        if position != self._position:
            self._let_go()
            self._position = position
        return position

    def readinto(self, buffer: Any) -> int:
        left = self._size_bytes - self._position
        if left <= 0:
            self._end()
            return 0
        if not self._waiting:
            self._waiting = memoryview(self._next())[:left]
        count = min(len(buffer), len(self._waiting))
        buffer[:count] = self._waiting[:count]
        self._waiting = self._waiting[count:]
        self._position += count
        return count

    def _next(self) -> bytes:
        if self._stream is None:
            self._stream = self._opening(self._position)
        for chunk in self._stream:
            if chunk:
                return chunk
        raise OSError(
            _("The file ended after %(found)d of its %(size)d bytes; read it again.")
            % {"found": self._position, "size": self._size_bytes}
        )

    def _end(self) -> None:
        """Run the stream to its end, so that its connection can be used again."""
        if self._stream is not None and not self._waiting:
            next(self._stream, None)
        self._let_go()

    def _let_go(self) -> None:
        stream, self._stream = self._stream, None
        self._waiting = memoryview(b"")
        if isinstance(stream, Generator):
            stream.close()

    def close(self) -> None:
        with suppress(OSError):
            self._let_go()
        super().close()
