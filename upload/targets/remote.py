"""What targets share that are reached by asking and not by opening a folder.

A subclass gives the own files, ``_size`` and ``_send``; marker, checks and the order of
``put`` are here.
"""

from collections.abc import Iterable
from contextlib import suppress

from upload.copy_engine import Beat, Receipt, receipt_of, verify
from upload.durable import occupied
from upload.errors import TargetOccupied
from upload.targets.base import (
    MARKER,
    Target,
    new_staging_name,
    refused,
    unmarked,
    unreserved,
)
from upload.wording import gettext as _


class RemoteTarget(Target):
    """``place`` is what messages call it: an address without any secret."""

    def __init__(self, place: str, identity: str = "") -> None:
        self.place = place
        self.identity = identity
        self._checked = False

    def _reach(self) -> None:
        """Raise unless the destination answers and has the place for us."""
        raise NotImplementedError

    def _size(self, relative_path: str) -> int | None:
        """Return a regular file's size, None for anything else.

        Raise ``FileNotFoundError`` where nothing has the name.
        """
        raise NotImplementedError

    def _send(
        self,
        relative_path: str,
        chunks: Iterable[bytes],
        expected: Receipt | None,
        staging_prefix: str,
        beat: Beat,
    ) -> Receipt:
        """Write a file that is not there yet; see ``put``."""
        raise NotImplementedError

    def check(self) -> None:
        self.look()
        name = new_staging_name("probe")
        self.write_own(name, b"")
        self.drop_own(name)
        self._checked = True

    def look(self) -> None:
        self._reach()
        if self.identity and self._marker() != self.identity.encode():
            raise unmarked(self.place)

    def mark(self) -> None:
        self._reach()
        try:
            self.write_own(MARKER, self.identity.encode())
        except TargetOccupied as error:
            reason = _("it is marked as another destination")
            raise refused(self.place, reason) from error

    def _marker(self) -> bytes:
        with suppress(FileNotFoundError):
            return self.read_own(MARKER)
        return b""

    def exists(self, relative_path: str) -> bool:
        try:
            self._size(relative_path)
        except FileNotFoundError:
            return False
        return True

    def put(
        self,
        relative_path: str,
        chunks: Iterable[bytes],
        expected: Receipt | None,
        staging_prefix: str,
        beat: Beat,
    ) -> Receipt:
        unreserved(relative_path)
        if not self._checked:
            self.check()
        if self.exists(relative_path):
            wanted = _known(chunks, expected)
            return self._confirm(relative_path, wanted, beat)
        return self._send(relative_path, chunks, expected, staging_prefix, beat)

    def _confirm(self, relative_path: str, wanted: Receipt, beat: Beat) -> Receipt:
        """Return the receipt of the same bytes there; raise ``TargetOccupied``."""
        if self._size(relative_path) != wanted.size_bytes:
            raise occupied(relative_path)
        found = self.digest(relative_path, beat)
        if not wanted.agrees_with(found):
            raise occupied(relative_path)
        return found

    def _refuses(self, name: str, content: bytes) -> bool:
        """Return whether ``write_own`` finds a name taken."""
        try:
            self.write_own(name, content)
        except TargetOccupied:
            return True
        return False


def _known(chunks: Iterable[bytes], expected: Receipt | None) -> Receipt:
    """Return what the file is to be; read it only where nobody has hashed it."""
    if expected is not None and expected.sha256:
        return expected
    found = receipt_of(chunks)
    verify("", expected, found)
    return found
