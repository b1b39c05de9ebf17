"""The contract of a target: what each kind of place that a copy goes to must do.

Called by the copy job, one target a job, and by the probe. A target never replaces a
file, never reports bytes that it has not verified, and decides nothing about who may
copy. ``tests/upload/test_target_conformance.py`` holds every kind to this page.
"""

import secrets
from collections.abc import Iterable, Iterator
from contextlib import contextmanager

from upload import paths, wording
from upload.copy_engine import Beat, Receipt, silent
from upload.errors import (
    FILE_ERRORS,
    DestinationRefused,
    DestinationUnreachable,
    UnsafePath,
)
from upload.group import Parcel
from upload.wording import gettext as _

OWN_NAMES = ".muniment-"
MARKER = ".muniment-destination"
STAGING_END = ".part"


class Target:
    """What each kind of destination must do. Subclasses must implement *all* of it.

    What is slow to open stays open between two calls; whoever made the target closes
    it, for example with ``contextlib.closing``. Own files are small ones below no
    folder, whose names start with ``OWN_NAMES``, which no copy may use.
    """

    def check(self) -> None:
        """Raise unless a copy may start here; leave nothing behind.

        ``FileNotFoundError`` if the destination is missing, ``DestinationRefused``
        with the reason if it may not or cannot be written to,
        ``DestinationUnreachable`` if it does not answer. Waits for no retry.
        """
        raise NotImplementedError(_lacking("check"))

    def look(self) -> None:
        """Raise as ``check`` does as far as reading tells; write nothing."""
        raise NotImplementedError(_lacking("look"))

    def mark(self) -> None:
        """Write the destination's identity into its marker; may be run twice.

        Raise ``DestinationRefused`` if the place is marked as another destination.
        """
        raise NotImplementedError(_lacking("mark"))

    def free_bytes(self) -> int | None:
        """Return the space left, None where nobody can tell."""
        raise NotImplementedError(_lacking("free_bytes"))

    def put(
        self,
        relative_path: str,
        chunks: Iterable[bytes],
        expected: Receipt | None,
        staging_prefix: str,
        beat: Beat,
    ) -> Receipt:
        """Write one file durably; verify what the destination then really holds.

        May be run twice. The same bytes there already are success, without writing.
        Raise ``TargetOccupied``, ``DigestMismatch``, ``UnsafePath``,
        ``DestinationRefused``, ``DestinationUnreachable``; then nothing has the final
        name that had it not before.
        """
        raise NotImplementedError(_lacking("put"))

    def put_many(
        self, parcels: Iterable[Parcel], staging_prefix: str, beat: Beat
    ) -> dict[str, Exception]:
        """Put files as ``put`` does; return by key why some could not be put.

        All others are durable on return. Raise what concerns the destination and not
        one file.
        """
        errors: dict[str, Exception] = {}
        with self.batch():
            for parcel in parcels:
                self._put_or_note(parcel, staging_prefix, beat, errors)
        return errors

    def _put_or_note(
        self,
        parcel: Parcel,
        staging_prefix: str,
        beat: Beat,
        errors: dict[str, Exception],
    ) -> None:
        try:
            self.put(
                parcel.key,
                parcel.chunks,
                parcel.expected,
                staging_prefix,
                beat,
            )
        except FILE_ERRORS as error:
            errors[parcel.key] = error

    @contextmanager
    def batch(self) -> Iterator[None]:
        """Let ``put`` in this block be durable only when the block has ended."""
        yield

    def digest(self, relative_path: str, beat: Beat = silent) -> Receipt:
        """Read a file in full and return what the destination really holds."""
        raise NotImplementedError(_lacking("digest"))

    def exists(self, relative_path: str) -> bool:
        """Return whether anything has the name."""
        raise NotImplementedError(_lacking("exists"))

    def drop_staging(self, prefix: str, min_age_seconds: float = 0) -> int:
        """Drop an owner's staging files; return how many went."""
        raise NotImplementedError(_lacking("drop_staging"))

    def write_own(self, name: str, content: bytes) -> None:
        """Write an own file; raise ``TargetOccupied`` where other bytes stand."""
        raise NotImplementedError(_lacking("write_own"))

    def read_own(self, name: str) -> bytes:
        """Return an own file's bytes; raise ``FileNotFoundError``."""
        raise NotImplementedError(_lacking("read_own"))

    def list_own(self) -> list[str]:
        """Return the names of the own files."""
        raise NotImplementedError(_lacking("list_own"))

    def drop_own(self, name: str) -> None:
        """Delete an own file; one that is gone already is fine."""
        raise NotImplementedError(_lacking("drop_own"))

    def capabilities(self) -> dict[str, bool]:
        """Find out, by trying on own files, what the place promises by itself.

        ``refuses_to_replace``: two writers of one name cannot both win. ``stages``:
        no part of a file ever has its final name. ``syncs``: what was acknowledged
        survives a power cut.
        """
        raise NotImplementedError(_lacking("capabilities"))

    def close(self) -> None:
        """Let go of connections; the next call opens them again."""


def _lacking(method: str) -> str:
    return f"subclasses of Target must provide a {method}() method"


def refused(place: object, reason: str) -> DestinationRefused:
    """Return the error for a destination that no further attempt can mend."""
    return DestinationRefused(
        _("The destination %(root)s is refused: %(reason)s. Choose or repair it.")
        % {"root": place, "reason": wording.bare(reason)}
    )


def unreachable(place: object, reason: str) -> DestinationUnreachable:
    """Return the error for a destination that may answer later."""
    return DestinationUnreachable(
        _(
            "The destination %(root)s cannot be reached: %(reason)s. Check the server "
            "and the network; what was running is tried again."
        )
        % {"root": place, "reason": wording.bare(reason)}
    )


def missing(place: object) -> FileNotFoundError:
    return FileNotFoundError(
        _("The destination %(root)s is missing. Create or mount it, then try again.")
        % {"root": place}
    )


def unmarked(place: object) -> DestinationRefused:
    reason = _("its marker %(marker)s is missing or another's; is it mounted?")
    return refused(place, reason % {"marker": MARKER})


def unreserved(relative_path: str) -> tuple[str, ...]:
    """Return a path's parts; raise ``UnsafePath`` for one outside or of our own."""
    parts = paths.parts_of(relative_path)
    if parts[0].casefold().startswith(OWN_NAMES):
        raise UnsafePath(
            _("“%(key)s” is refused: names with “%(reserved)s” are kept for us.")
            % {"key": relative_path, "reserved": OWN_NAMES}
        )
    return parts


def new_staging_name(prefix: str) -> str:
    """Return an own name for a file of ``prefix``'s that is not whole yet."""
    return f"{OWN_NAMES}{prefix}.{secrets.token_hex(8)}{STAGING_END}"


def is_staging_of(name: str, prefix: str) -> bool:
    """Return whether an owner's staging file may be called so.

    ``job-17-3`` names one owner, ``job-17-`` all whose names start so, ``""`` all.
    """
    dot = "" if not prefix or prefix.endswith("-") else "."
    return name.startswith(f"{OWN_NAMES}{prefix}{dot}") and name.endswith(STAGING_END)


def still(beat: Beat) -> Beat:
    """Return a heartbeat that counts no bytes: they were counted on another pass."""
    return lambda count: beat(0)
