"""Every error of the core, each with its facts as attributes.

A message names the object, what was seen, what was expected and what to do. ``code``
is stable and machine-readable: HTTP answers and job rows carry it.
"""

from errno import EIO

from django.db import InterfaceError, InternalError, OperationalError

from upload.wording import gettext as _

# The database is busy, away or read-only (for which PostgreSQL has an internal error):
# nothing is wrong with what was asked, and it may be asked again.
DATABASE_ERRORS = (OperationalError, InterfaceError, InternalError)


class MunimentError(Exception):
    """Base of all errors that the core raises on purpose."""

    code = "error"
    hint = ""


class ObjectNotUpdated(Exception):
    """An update was asked for, but the row is not there; base of ``NotUpdated``."""


class IllegalTransition(MunimentError, ValueError):
    """A session is not in a state from which the asked verb can start."""

    code = "illegal_transition"

    def __init__(self, session: str, found: str, asked: str, allowed: str) -> None:
        self.session, self.found, self.asked = session, found, asked
        self.hint = _("Reload the session to see what can be done now.")
        super().__init__(
            _(
                "Session %(session)s is “%(found)s”, so it cannot %(asked)s; that "
                "starts only from: %(allowed)s. Reload the session to see what can be "
                "done now."
            )
            % {
                "session": session,
                "found": found,
                "asked": asked,
                "allowed": allowed or _("no state"),
            }
        )


class SessionSubmitted(MunimentError, ValueError):
    """The sender has submitted the session; records staff take it from here."""

    code = "session_submitted"


class DraftRefused(MunimentError, ValueError):
    """A draft is not complete enough to become a submission."""

    code = "draft_refused"


class SessionBusy(MunimentError, ValueError):
    """Another byte-moving job is active on the session."""

    code = "session_busy"


class LeaseLost(MunimentError):
    """The job is no longer this worker's: another attempt has taken it over."""

    code = "lease_lost"


class JobCancelled(MunimentError):
    """Somebody asked for the running job to stop."""

    code = "job_cancelled"


class JobFailed(MunimentError):
    """A job ended without doing all it was asked; its items say what is missing."""

    code = "job_failed"


class ReasonMissing(MunimentError, ValueError):
    """A deed that takes a reason was asked without one."""

    code = "reason_missing"


class NotPermitted(MunimentError):
    """The person may not do this verb on this object."""

    code = "not_permitted"


class NameRefused(MunimentError, ValueError):
    """A file's name breaks the name policy."""

    code = "name_refused"

    def __init__(self, name: str, reason: str, code: str = "name_refused") -> None:
        self.name, self.reason, self.code = name, reason, code
        super().__init__(reason)


class NameTaken(MunimentError, ValueError):
    """The session already has a file of that name."""

    code = "name_taken"


class LimitExceeded(MunimentError, ValueError):
    """A file would take the session above its count or size limit."""

    code = "limit_exceeded"


class EmptyFileRefused(MunimentError, ValueError):
    """A file of 0 bytes arrived and ACCEPT_EMPTY_FILES is off."""

    code = "empty_file"


class SizeMismatch(MunimentError, ValueError):
    """A file's bytes are not as many as were announced."""

    code = "size_mismatch"


class UnsafePath(MunimentError, ValueError):
    """A path leaves its root, or is a link, pipe or device."""

    code = "unsafe_path"


class SourceMissing(MunimentError, FileNotFoundError):
    """The bytes that a row promises are not in its storage."""

    code = "source_missing"


class SourceUnreadable(MunimentError, OSError):
    """The disk has a file's bytes and could not give them; it may be asked again."""

    code = "source_unreadable"
    errno = EIO


class TargetOccupied(MunimentError, FileExistsError):
    """Other bytes stand where a file should go; they are left alone."""

    code = "target_occupied"


class ShortWrite(MunimentError, OSError):
    """The operating system took fewer bytes than it was given."""

    code = "short_write"


class DigestMismatch(MunimentError, OSError):
    """Bytes read are not the bytes that were received.

    ``expected`` and ``actual`` are ``(size_bytes, sha256)``.
    """

    code = "digest_mismatch"

    def __init__(
        self, name: str, expected: tuple[int, str], actual: tuple[int, str]
    ) -> None:
        self.name, self.expected, self.actual = name, expected, actual
        super().__init__(
            _(
                "%(name)s: %(actual_size)d bytes with SHA-256 %(actual)s were read, "
                "but %(expected_size)d bytes with SHA-256 %(expected)s were expected. "
                "The file was not used; check the storage it came from."
            )
            % {
                "name": name,
                "actual_size": actual[0],
                "actual": actual[1],
                "expected_size": expected[0],
                "expected": expected[1],
            }
        )


class DestinationCorrupts(MunimentError, OSError):
    """A destination gave back other bytes than it was given."""

    code = "destination_corrupts"

    def __init__(self, name: str) -> None:
        self.name = name
        super().__init__(
            _(
                "%(name)s: the destination gave back other bytes than were written, "
                "and the file here is as it was received. The copy was dropped; check "
                "the destination's disk, then copy again."
            )
            % {"name": name}
        )


class DestinationRefused(MunimentError):
    """A destination may not be written to: disabled, unmounted, outside its root."""

    code = "destination_refused"


class DestinationUnreachable(MunimentError, OSError):
    """A destination does not answer, or answers that it cannot now; try again later."""

    code = "destination_unreachable"


class WorkerStopping(MunimentError):
    """The worker was asked to end; the job goes back to the queue uncounted."""

    code = "worker_stopping"


class FilterRefused(MunimentError, ValueError):
    """A list was asked to narrow itself by what it does not understand.

    ``problems`` maps each parameter to a sentence.
    """

    code = "filter_refused"

    def __init__(self, problems: dict[str, str]) -> None:
        self.problems = problems
        self.hint = _("Correct or leave out: %(names)s.") % {
            "names": ", ".join(problems)
        }
        super().__init__(" ".join(f"{name}: {t}" for name, t in problems.items()))


class BodyRefused(MunimentError, ValueError):
    """A request's body is not what it says it is, or not what is asked for."""

    code = "malformed_body"

    def __init__(self, message: str, code: str = "malformed_body") -> None:
        self.code = code
        super().__init__(message)


class LengthRequired(MunimentError, ValueError):
    """A request does not say how long its body is."""

    code = "length_required"


class TooLarge(MunimentError, ValueError):
    """A file or a request is larger than may be sent at once."""

    code = "too_large"


class TypeRefused(MunimentError, ValueError):
    """A file's bytes are of another kind than its name says."""

    code = "type_mismatch"


class MalwareFound(MunimentError, ValueError):
    """The scanner found malware in a file; the file was dropped."""

    code = "malware_found"


class TooLargeToScan(MunimentError, ValueError):
    """A file is larger than the scanner reads to its end."""

    code = "too_large_to_scan"


class ScannerUnavailable(MunimentError):
    """The scanner is down, too slow or broken; nothing unscanned gets in."""

    code = "scanner_unavailable"


class NoRoom(MunimentError, OSError):
    """The storage has not enough space left; nothing was written."""

    code = "storage_full"


class UploadsOff(MunimentError):
    """FILE_UPLOAD_ENABLED is off."""

    code = "uploads_off"


class NotFound(MunimentError, LookupError):
    """There is no such object, or the person may not know of it: one answer."""

    code = "not_found"


class NotSignedIn(MunimentError):
    """Nobody is signed in, or a token opens nothing."""

    code = "not_signed_in"


# What keeps one file from being moved, and no other: noted on it, the others go on.
FILE_ERRORS = (
    SourceMissing,
    SourceUnreadable,
    DigestMismatch,
    TargetOccupied,
    UnsafePath,
)
