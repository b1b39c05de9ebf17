"""The SHA-256 of an upload's bytes so far, kept between its requests.

The state lives in the process that took the last bytes. Another process, or the same
one after a restart, reads what it lacks from the partial: each byte is hashed once by
each process that had a hand in the upload.
"""

import hashlib
import os
import threading
from collections import OrderedDict
from uuid import UUID

from upload.copy_engine import CHUNK_BYTES, Receipt

MOST_KEPT = 1000
_kept: "OrderedDict[UUID, PrefixDigest]" = OrderedDict()
_guard = threading.Lock()


class PrefixDigest:
    """The digest of a file's first ``size_bytes``."""

    def __init__(self) -> None:
        self.size_bytes = 0
        self._sha256 = hashlib.sha256()

    def copy(self) -> "PrefixDigest":
        made = PrefixDigest()
        made.size_bytes, made._sha256 = self.size_bytes, self._sha256.copy()
        return made

    def update(self, chunk: bytes) -> None:
        """Hash what follows, while it is written to the file as well."""
        self._sha256.update(chunk)
        self.size_bytes += len(chunk)

    def read_on(self, descriptor: int, until: int) -> None:
        """Hash the file from here up to ``until``; raise ``OSError`` if it ends."""
        while self.size_bytes < until:
            count = min(CHUNK_BYTES, until - self.size_bytes)
            data = os.pread(descriptor, count, self.size_bytes)
            if not data:
                raise OSError("the partial is shorter than its offset")
            self._sha256.update(data)
            self.size_bytes += len(data)

    def receipt(self) -> Receipt:
        return Receipt(self.size_bytes, self._sha256.hexdigest())


def take(uuid: UUID, offset: int) -> PrefixDigest:
    """Return a digest of at most ``offset`` bytes of the upload, to be read on."""
    with _guard:
        kept = _kept.get(uuid)
    if kept is None or kept.size_bytes > offset:
        return PrefixDigest()
    return kept.copy()


def keep(uuid: UUID, digest: PrefixDigest) -> None:
    """Remember the digest of bytes whose offset has been committed."""
    with _guard:
        _kept[uuid] = digest
        _kept.move_to_end(uuid)
        while len(_kept) > MOST_KEPT:
            _kept.popitem(last=False)


def forget(uuid: UUID) -> None:
    with _guard:
        _kept.pop(uuid, None)
