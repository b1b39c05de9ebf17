"""How each kind of job ends: the session's status after it and the audit codes."""

from dataclasses import dataclass

from upload.states import JobKind, SessionStatus


@dataclass(frozen=True, slots=True)
class Ends:
    """The session's status after each end of a job."""

    succeeded: SessionStatus
    failed: SessionStatus


@dataclass(frozen=True, slots=True)
class Codes:
    """The audit codes of a job's moves; the edges alone cannot tell copy from store."""

    started: str
    succeeded: str
    failed: str


CODES: dict[str, Codes] = {
    JobKind.STORE: Codes("store_started", "stored", "store_failed"),
    JobKind.COPY: Codes("copy_started", "copied", "copy_failed"),
    JobKind.REMOVE: Codes("removal_started", "removed", "removal_failed"),
}


_S = SessionStatus
ENDS: dict[str, Ends] = {
    JobKind.STORE: Ends(_S.STORED, _S.COPYING_FAILED),
    JobKind.COPY: Ends(_S.STORED, _S.STORED),
    JobKind.REMOVE: Ends(_S.CREATED, _S.CREATED),
}
