"""Pieces of bytes as a file object, for clients that want to read by themselves."""

import io
from collections.abc import Iterable
from typing import Any


class Source(io.RawIOBase):
    """Reads each piece once, without seeking; counts and hashes what was read."""

    def __init__(self, chunks: Iterable[bytes], digest: Any) -> None:
        self._chunks = iter(chunks)
        self._digest = digest
        self._waiting = bytearray()
        self.sent_bytes = 0

    def readable(self) -> bool:
        return True

    def tell(self) -> int:
        return self.sent_bytes

    def read(self, size: int = -1) -> bytes:
        """Return as many bytes as asked for; fewer only at the end."""
        while size < 0 or len(self._waiting) < size:
            chunk = next(self._chunks, None)
            if chunk is None:
                break
            self._digest.update(chunk)
            self._waiting += chunk
        count = len(self._waiting) if size < 0 else size
        taken = bytes(self._waiting[:count])
        del self._waiting[:count]
        self.sent_bytes += len(taken)
        return taken
