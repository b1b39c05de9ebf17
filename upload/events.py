"""Write one append-only ``SessionEvent``.

Called inside the transaction of the change that it tells of. Reaches the event model
through the session's relation; never updates or deletes an event, never holds a token.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from upload.insert import insert_rows
from upload.states import Outcome

# What an event's row says beside whom it is about.
TOLD = (
    "session_uuid",
    "code",
    "premis_type",
    "actor_name",
    "attempt",
    "reason",
    "detail",
)


@dataclass(frozen=True, slots=True)
class Cause:
    """Who or what made a change: a person, a job, or (both None) the system.

    ``code`` tells more exactly than an edge what happened: one edge ends both a store
    and a copy out.
    """

    actor: Any = None
    job: Any = None
    reason: str = ""
    detail: dict[str, Any] = field(default_factory=dict)
    code: str = ""


SYSTEM = Cause()


def record(
    session: Any,
    code: str,
    premis: str,
    cause: Cause = SYSTEM,
    outcome: Outcome = Outcome.SUCCESS,
) -> Any:
    """Insert the event ``upload.session.<code>`` and return it."""
    return session.event_set.create(
        **fields(session, code, premis, cause), outcome=outcome
    )


def record_many(rows: Iterable[tuple[Any, str, str, Cause]]) -> None:
    """Insert an event ``(session, code, premis, cause)`` each, all successes."""
    found = [(s, fields(s, code, premis, cause)) for s, code, premis, cause in rows]
    if found:
        insert_rows(
            found[0][0].event_set.model,
            ("session_id", "actor_id", "job_id", *TOLD),
            (
                [session.pk, _key(row["actor"]), _key(row["job"]), *map(row.get, TOLD)]
                for session, row in found
            ),
            shared={},
        )


def _key(row: Any) -> Any:
    return None if row is None else row.pk


def fields(session: Any, code: str, premis: str, cause: Cause) -> dict[str, Any]:
    """Return the values of an event row, for single and bulk inserts."""
    actor = cause.actor or getattr(cause.job, "requester", None)
    return {
        "session_uuid": session.uuid,
        "code": f"upload.session.{code}",
        "premis_type": premis,
        "actor": actor,
        "actor_name": actor.get_username() if actor else "",
        "job": cause.job,
        "attempt": getattr(cause.job, "attempts", 0),
        "reason": cause.reason,
        "detail": cause.detail,
    }
