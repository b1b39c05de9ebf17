"""Expire sessions: EXPIRED is committed first, files go after.

``purge`` may be run again at any time: it goes on where a crash stopped.
"""

import logging
from collections.abc import Callable, Iterable
from typing import Any

from django.db import transaction
from django.utils import timezone

from upload import conf, discard, policy, transitions
from upload.errors import SessionBusy
from upload.events import SYSTEM, Cause
from upload.states import OPEN, SessionStatus, Verb
from upload.wording import gettext as _
from upload.wording import ngettext

logger = logging.getLogger(__name__)


def expire(session: Any, cause: Cause = SYSTEM) -> None:
    """Expire an open session and remove its files.

    Raise ``NotPermitted``, ``ReasonMissing`` where a person gives none,
    ``IllegalTransition`` unless CREATED or UPLOADING, or ``SessionBusy`` where a job is
    waiting to work on it.
    """
    policy.require_right(cause.actor, Verb.EXPIRE, session)
    policy.require_reason(cause.actor, cause.reason)
    policy.require_state(Verb.EXPIRE, session)
    _close(session, cause)
    purge(session)


def _close(session: Any, cause: Cause) -> None:
    with transaction.atomic():
        told = Cause(cause.actor, cause.job, cause.reason, contents(session))
        transitions.move(session, SessionStatus.EXPIRED, told, allowed=OPEN)
        _require_no_job(session)


def _expire_if_due(session: Any) -> None:
    """Expire a session unless somebody has used or closed it since it was listed."""
    with transaction.atomic():
        due = type(session).objects.get_expirable().filter(pk=session.pk)
        if due.select_for_update(of=("self",)).first() is None:
            return
        _close(session, Cause(reason=_inactive()))
    purge(session)


def contents(session: Any) -> dict[str, Any]:
    """Return what the event of an expiry tells of the files."""
    return {
        "files": session.total_files,
        "size_bytes": session.total_size_bytes,
    }


def _require_no_job(session: Any) -> None:
    """Raise, which rolls the move back, where a job was requested before."""
    if session.job_set.moving().exists():
        session.refresh_from_db(fields=["status"])
        raise busy(session)


def busy(session: Any) -> SessionBusy:
    return SessionBusy(
        _(
            "Session %(session)s has a job waiting or running, so it cannot expire. "
            "Wait for the job or cancel it."
        )
        % {"session": session.uuid}
    )


def _inactive() -> str:
    """Return why a schedule expires a session."""
    after = conf.expire_after()
    if after is None:
        return ""
    minutes = int(after.total_seconds() // 60)
    return ngettext(
        "Nobody worked on the session for %(count)d minute.",
        "Nobody worked on the session for %(count)d minutes.",
        minutes,
    ) % {"count": minutes}


def purge(session: Any) -> None:
    """Delete the files of an EXPIRED session, batch by batch."""
    while discard.expired_batch(session):
        pass


def refresh_dates(sessions: Any) -> int:
    """Bring the stored expiry of open sessions up to the present setting."""
    after = conf.expire_after()
    rows = sessions.filter(status__in=OPEN)
    if after is None:
        return int(rows.filter(expires_on__isnull=False).update(expires_on=None))
    true_date = discard.interaction_plus(after)
    return int(rows.exclude(expires_on=true_date).update(expires_on=true_date))


def expire_due(
    sessions: Any, tell: Callable[[Any, Exception | None], None] | None = None
) -> tuple[int, int]:
    """Expire each due session, finish half-purged ones; return (done, failed).

    One session that cannot be expired is logged, told and passed over.
    """
    refresh_dates(sessions)
    half_purged = sessions.filter(
        status=SessionStatus.EXPIRED, tempuploadedfile__isnull=False, hold_count=0
    ).distinct()
    return each(
        [*lazily(sessions.get_expirable()), *lazily(half_purged)], _finish, tell
    )


def lazily(rows: Any) -> Iterable[Any]:
    """Return the rows by 500, so that many need no room."""
    return rows.order_by("pk").iterator(chunk_size=500)


def _finish(session: Any) -> None:
    if session.status == SessionStatus.EXPIRED:
        purge(session)
    else:
        _expire_if_due(session)


def deletable(sessions: Any) -> Any:
    """Return the sessions whose row has been kept for long enough."""
    return sessions.get_deletable().filter(
        last_upload_interaction_time__lt=timezone.now() - conf.keep_expired()
    )


def delete_expired(
    sessions: Any, tell: Callable[[Any, Exception | None], None] | None = None
) -> tuple[int, int]:
    """Delete the rows of sessions that expired long enough ago.

    Long enough is DELETE_EXPIRED_AFTER_DAYS after their expiry. Their events stay.
    """
    return each(lazily(deletable(sessions)), _delete, tell)


def _delete(session: Any) -> None:
    purge(session)
    session.delete()


def each(
    rows: Iterable[Any],
    act: Callable[[Any], None],
    tell: Callable[[Any, Exception | None], None] | None,
) -> tuple[int, int]:
    """Do one deed to each session; a failure is logged, told, counted and passed."""
    done = failed = 0
    for session in rows:
        problem: Exception | None = None
        try:
            act(session)
            done += 1
        except Exception as error:  # a foreign storage or the database may raise any
            logger.exception("Session %s could not be done.", session.uuid)
            problem, failed = error, failed + 1
        if tell:
            tell(session, problem)
    return done, failed
