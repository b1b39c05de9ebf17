"""The states of sessions and jobs, and the one table of a session's edges.

``EDGES`` is the seed document's diagram plus the additions, each with its reason.
``transitions`` obeys it; tests and the admin read it.
"""

from dataclasses import dataclass

from django.db import models
from django.utils.translation import gettext_lazy as _


class SessionStatus(models.TextChoices):
    """The status of a session, and where its bytes are."""

    CREATED = "CR", _("Created")  # no files
    EXPIRED = "EX", _("Expired")  # files are being, or have been, removed
    UPLOADING = "UG", _("Uploading")  # all files in temporary storage
    COPYING_IN_PROGRESS = "CP", _("Copying")  # a job stores or copies out
    STORED = "SD", _("Stored")  # all files verified in permanent storage
    COPYING_FAILED = "FD", _("Copying failed")  # some temporary, some permanent
    REMOVING_IN_PROGRESS = "RP", _("Removing")  # a job removes files


class Verb(models.TextChoices):
    """What can be asked of a session."""

    UPLOAD = "upload", _("Upload")
    REMOVE_FILE = "remove_file", _("Remove one file")
    EXPIRE = "expire", _("Expire")
    STORE = "store", _("Store")
    COPY = "copy", _("Copy")
    REMOVE = "remove", _("Remove")
    RETRY = "retry", _("Retry")
    VERIFY = "verify", _("Verify")
    HOLD = "hold", _("Place a legal hold")
    LIFT = "lift", _("Lift legal holds")


@dataclass(frozen=True, slots=True)
class Edge:
    """One legal move. ``why`` is empty for the edges of the seed document."""

    origin: SessionStatus
    target: SessionStatus
    code: str  # the audit code of the event, below "upload.session."
    premis: str  # the PREMIS event type
    why: str = ""


_S = SessionStatus
EDGES: tuple[Edge, ...] = (
    Edge(_S.CREATED, _S.EXPIRED, "expired", "deaccession"),
    Edge(_S.CREATED, _S.UPLOADING, "upload_started", "ingestion start"),
    Edge(_S.UPLOADING, _S.CREATED, "emptied", "deletion"),
    Edge(_S.UPLOADING, _S.EXPIRED, "expired", "deaccession"),
    Edge(_S.UPLOADING, _S.COPYING_IN_PROGRESS, "copy_started", "transfer"),
    Edge(_S.UPLOADING, _S.REMOVING_IN_PROGRESS, "removal_started", "deletion"),
    Edge(_S.COPYING_IN_PROGRESS, _S.COPYING_FAILED, "copy_failed", "transfer"),
    Edge(_S.COPYING_IN_PROGRESS, _S.STORED, "stored", "ingestion end"),
    Edge(_S.STORED, _S.COPYING_IN_PROGRESS, "copy_started", "replication"),
    Edge(_S.STORED, _S.REMOVING_IN_PROGRESS, "removal_started", "deletion"),
    Edge(_S.REMOVING_IN_PROGRESS, _S.CREATED, "emptied", "deletion"),
    Edge(
        _S.COPYING_FAILED,
        _S.COPYING_IN_PROGRESS,
        "copy_started",
        "transfer",
        why="Retry: a failed store must not be a dead end; it does what is not done.",
    ),
    Edge(
        _S.COPYING_FAILED,
        _S.REMOVING_IN_PROGRESS,
        "removal_started",
        "deletion",
        why="Give up: what cannot be stored must be removable, or it stays for ever.",
    ),
)

# Columns that lists sort sessions by, each with an index; the short names name those.
SORTED_BY = {
    "status": "status",
    "last": "last_upload_interaction_time",
    "expiry": "expires_on",
    "files": "total_files",
    "size": "total_size_bytes",
}

OPEN = frozenset({_S.CREATED, _S.UPLOADING})
MOVING = frozenset({_S.COPYING_IN_PROGRESS, _S.REMOVING_IN_PROGRESS})
EXPIRING = OPEN | {_S.EXPIRED}


def edge(origin: str, target: str) -> Edge | None:
    """Return the edge from ``origin`` to ``target``, or None where none is legal."""
    return _EDGE_BY_ENDS.get((origin, target))


def legal_edge(origin: str, target: str) -> Edge:
    """Return the edge between two states; raise ``KeyError`` where there is none."""
    return _EDGE_BY_ENDS[(str(origin), str(target))]


def origins(target: str) -> frozenset[SessionStatus]:
    """Return the states from which a session may move to ``target``."""
    return frozenset(e.origin for e in EDGES if e.target == target)


_EDGE_BY_ENDS = {(str(e.origin), str(e.target)): e for e in EDGES}


class JobKind(models.TextChoices):
    """What a job does."""

    STORE = "store", _("Store")
    COPY = "copy", _("Copy")
    REMOVE = "remove", _("Remove")
    VERIFY = "verify", _("Verify")


# These move bytes and the session; a verification runs beside them.
MOVING_KINDS = (JobKind.STORE, JobKind.COPY, JobKind.REMOVE)


class JobState(models.TextChoices):
    """Where a job is in its life."""

    AWAITING_APPROVAL = "awaiting", _("Awaiting approval")
    QUEUED = "queued", _("Queued")
    RUNNING = "running", _("Running")
    SUCCEEDED = "succeeded", _("Succeeded")
    FAILED = "failed", _("Failed")
    CANCELLED = "cancelled", _("Cancelled")


ACTIVE_JOB_STATES = (JobState.AWAITING_APPROVAL, JobState.QUEUED, JobState.RUNNING)
ENDED_JOB_STATES = (JobState.SUCCEEDED, JobState.FAILED, JobState.CANCELLED)

# Where a job's session may stand when the job starts, and where it moves to.
JOB_ORIGINS: dict[str, frozenset[SessionStatus]] = {
    JobKind.STORE: frozenset({_S.UPLOADING, _S.COPYING_FAILED}),
    JobKind.COPY: frozenset({_S.STORED}),
    JobKind.REMOVE: frozenset({_S.UPLOADING, _S.STORED, _S.COPYING_FAILED}),
}
JOB_MOVING: dict[str, SessionStatus] = {
    JobKind.STORE: _S.COPYING_IN_PROGRESS,
    JobKind.COPY: _S.COPYING_IN_PROGRESS,
    JobKind.REMOVE: _S.REMOVING_IN_PROGRESS,
}


class OrderVerb(models.TextChoices):
    """What a bulk order does to each of its sessions: a verb, or a decision."""

    EXPIRE = "expire", _("Expire")
    STORE = "store", _("Store")
    COPY = "copy", _("Copy")
    REMOVE = "remove", _("Remove")
    RETRY = "retry", _("Retry")
    VERIFY = "verify", _("Verify")
    HOLD = "hold", _("Place a legal hold")
    LIFT = "lift", _("Lift legal holds")
    APPROVE = "approve", _("Approve the removal")
    DECLINE = "decline", _("Refuse the removal")


class OrderState(models.TextChoices):
    """Where a bulk order is in its life; past the draft as ``JobState`` has it."""

    DRAFT = "draft", _("Not confirmed")
    QUEUED = "queued", _("Queued")
    RUNNING = "running", _("Running")
    SUCCEEDED = "succeeded", _("Succeeded")
    FAILED = "failed", _("Failed")
    CANCELLED = "cancelled", _("Cancelled")


class OrderOutcome(models.TextChoices):
    """What became of one session of a bulk order."""

    PENDING = "pending", _("Pending")
    CLOSED = "closed", _("Expired, files being deleted")
    DONE = "done", _("Done")
    QUEUED = "queued", _("Job queued")
    SKIPPED = "skipped", _("Skipped")
    FAILED = "failed", _("Failed")
    LEFT = "left", _("Not begun")


class Obstacle(models.TextChoices):
    """Why a verb could not start on a session when the order was drafted."""

    NONE = "", _("None")
    STATE = "state", _("Its state")
    HELD = "held", _("A legal hold")
    NOT_HELD = "not_held", _("No legal hold")
    BUSY = "busy", _("A job is waiting or running")
    NOTHING_FAILED = "nothing_failed", _("No failed job")
    NO_RIGHT = "no_right", _("A missing permission")


class ItemOutcome(models.TextChoices):
    """What became of one file of a job."""

    PENDING = "pending", _("Pending")
    DONE = "done", _("Done")
    ALREADY = "already", _("Already there")
    MISSING = "missing", _("Missing")
    FAILED = "failed", _("Failed")
    GONE = "gone", _("Removed meanwhile")


class Outcome(models.TextChoices):
    """PREMIS event outcome."""

    SUCCESS = "success", _("Success")
    FAILURE = "failure", _("Failure")
    WARNING = "warning", _("Warning")


# Columns of a session that its instances do not write back; see its ``save``.
KEPT_BY_OTHERS = {
    *("status", "token", "total_files", "total_size_bytes"),
    *("fixity_checked_at", "reminded_at", "hold_count"),
}
