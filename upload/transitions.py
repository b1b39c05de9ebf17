"""The only writer of ``UploadSession.status``.

Every move is one conditional UPDATE on the allowed origins, and the same transaction
inserts one event. Zero rows mean that somebody else was first: ``IllegalTransition``.
No transaction here is held over file I/O.
"""

from collections.abc import Callable, Iterable
from typing import Any

from django.db import connections, router, transaction
from django.db.models import Count, F, OuterRef, Subquery, Sum
from django.db.models.functions import Coalesce
from django.utils import timezone

from upload import conf, events, legal_hold, wording
from upload.errors import IllegalTransition, LimitExceeded
from upload.events import SYSTEM, Cause
from upload.policy import words
from upload.states import (
    EXPIRING,
    OPEN,
    Outcome,
    SessionStatus,
    legal_edge,
    origins,
)
from upload.wording import gettext as _

COUNT_IN = (
    "UPDATE {table} SET total_files = total_files + 1, "
    "total_size_bytes = total_size_bytes + %s, "
    "last_upload_interaction_time = %s, expires_on = %s "
    "WHERE id = %s AND status = %s AND total_files < %s AND total_size_bytes <= %s"
)


def move(
    session: Any,
    target: SessionStatus,
    cause: Cause = SYSTEM,
    *,
    allowed: Iterable[SessionStatus] | None = None,
    outcome: Outcome = Outcome.SUCCESS,
) -> SessionStatus:
    """Move the session to ``target`` and return the status it had.

    ``allowed`` narrows the origins of the table. The instance is brought up to date.
    Raise ``IllegalTransition`` where the row is in no allowed origin, ``OnHold`` where
    a legal hold keeps its files.
    """
    may_leave = origins(target) & frozenset(allowed or SessionStatus)
    with transaction.atomic():
        for origin in _likeliest_first(session.status, may_leave):
            if _compare_and_set(session, origin, target):
                _record(session, origin, target, cause, outcome)
                return origin
    raise _refusal(session, target, may_leave)


def _likeliest_first(
    status: str, may_leave: frozenset[SessionStatus]
) -> list[SessionStatus]:
    return sorted(may_leave, key=lambda origin: (origin != status, origin))


def _compare_and_set(
    session: Any, origin: SessionStatus, target: SessionStatus
) -> bool:
    """Write ``target`` where the row still is at ``origin``; keep its expiry true."""
    changes = _changes(origin, target)
    rows = type(session).objects.filter(pk=session.pk, status=origin)
    if not _movable(rows, target).update(**changes):
        return False
    _show(session, changes)
    return True


def _changes(origin: SessionStatus, target: SessionStatus) -> dict[str, Any]:
    changes: dict[str, Any] = {"status": target}
    if target not in EXPIRING:
        changes["expires_on"] = None
    elif origin not in EXPIRING:  # back to an empty, open session: the clock restarts
        changes |= interaction(timezone.now())
    return changes


def _movable(rows: Any, target: SessionStatus) -> Any:
    """Leave out what is held, in the same statement: no hold slips between."""
    return rows.filter(hold_count=0) if target in legal_hold.DISPOSED else rows


def move_many(
    sessions: Iterable[Any], target: SessionStatus, cause_of: Callable[[Any], Cause]
) -> None:
    """Move sessions whose rows the caller has read and holds: all of them or none.

    One UPDATE an origin and one event a session. Raise ``IllegalTransition`` where a
    row is not as it was read, which rolls all back.
    """
    by_origin: dict[SessionStatus, list[Any]] = {}
    for session in sessions:
        by_origin.setdefault(SessionStatus(session.status), []).append(session)
    with transaction.atomic():
        for origin, some in by_origin.items():
            told = [_told(s, origin, target, cause_of(s)) for s in some]
            _move_alike(some, origin, target)
            events.record_many(told)


def _move_alike(
    sessions: list[Any], origin: SessionStatus, target: SessionStatus
) -> None:
    changes = _changes(origin, target)
    keys = [session.pk for session in sessions]
    rows = type(sessions[0]).objects.filter(pk__in=keys, status=origin)
    if _movable(rows, target).update(**changes) != len(sessions):
        raise _refusal(sessions[0], target, origins(target))
    for session in sessions:
        _show(session, changes)


def _show(session: Any, changes: dict[str, Any]) -> None:
    """Bring the instance up to date with what was written to its row."""
    for name, value in changes.items():
        setattr(session, name, value)
    session.note_read()


def interaction(at: Any) -> dict[str, Any]:
    """Return the columns that an interaction at ``at`` sets."""
    after = conf.expire_after()
    return {
        "last_upload_interaction_time": at,
        "expires_on": None if after is None else at + after,
    }


def _record(
    session: Any,
    origin: SessionStatus,
    target: SessionStatus,
    cause: Cause,
    outcome: Outcome,
) -> None:
    events.record(*_told(session, origin, target, cause), outcome)


def _told(
    session: Any, origin: SessionStatus, target: SessionStatus, cause: Cause
) -> tuple[Any, str, str, Cause]:
    """Return what is recorded of a move: session, code, PREMIS type and cause."""
    legal = legal_edge(origin, target)
    detail = {**cause.detail, "from": origin.value, "to": target.value}
    told = Cause(cause.actor, cause.job, cause.reason, detail)
    return session, cause.code or legal.code, legal.premis, told


def _refusal(
    session: Any, target: SessionStatus, may_leave: frozenset[SessionStatus]
) -> IllegalTransition:
    session.refresh_from_db(fields=["status", "hold_count"])
    if target in legal_hold.DISPOSED and session.hold_count:
        asked = _("become “%(target)s”") % {"target": target.label}
        return legal_hold.refusal(session, asked)
    return IllegalTransition(
        session=str(session.uuid),
        found=wording.label(SessionStatus(session.status).label),
        asked=_("become “%(target)s”") % {"target": target.label},
        allowed=words(may_leave),
    )


def admit_file(session: Any, size_bytes: int, cause: Cause = SYSTEM) -> None:
    """Count one more file in, moving CREATED to UPLOADING; one conditional UPDATE.

    Must be called in the transaction that inserts the file's row. State and limits are
    part of the condition, so parallel uploads cannot pass them together. Raise
    ``IllegalTransition`` or ``LimitExceeded``.
    """
    # The instance may be behind its row, which by now may be empty again.
    if session.status == SessionStatus.UPLOADING and _counted(session, size_bytes):
        return
    room = _open_rows(session).filter(
        total_files__lt=conf.max_total_count(),
        total_size_bytes__lte=conf.max_total_size_bytes() - size_bytes,
    )
    counted = {
        "total_files": F("total_files") + 1,
        "total_size_bytes": F("total_size_bytes") + size_bytes,
        **interaction(timezone.now()),
    }
    if not room.update(**counted):
        raise _refusal_of_file(session)
    _start_uploading(session, cause)


def _counted(session: Any, size_bytes: int) -> bool:
    """Count a file into a row that is UPLOADING and has room, as ``admit_file`` does.

    Written down as it is, because nearly every file passes here: see ``plain_sql``.
    """
    model = type(session)
    database = connections[router.db_for_write(model)]
    moment = database.ops.adapt_datetimefield_value
    now = interaction(timezone.now())
    values = [
        size_bytes,
        moment(now["last_upload_interaction_time"]),
        moment(now["expires_on"]),
        session.pk,
        SessionStatus.UPLOADING.value,
        conf.max_total_count(),
        conf.max_total_size_bytes() - size_bytes,
    ]
    with database.cursor() as cursor:
        cursor.execute(COUNT_IN.format(table=model._meta.db_table), values)
        return bool(cursor.rowcount)


def _open_rows(session: Any) -> Any:
    return type(session).objects.filter(pk=session.pk, status__in=OPEN)


def _start_uploading(session: Any, cause: Cause) -> None:
    """Move CREATED to UPLOADING; another upload may have done so a moment ago."""
    if _compare_and_set(session, SessionStatus.CREATED, SessionStatus.UPLOADING):
        _record(
            session,
            SessionStatus.CREATED,
            SessionStatus.UPLOADING,
            cause,
            Outcome.SUCCESS,
        )
    _show(session, {"status": SessionStatus.UPLOADING})


def _refusal_of_file(session: Any) -> IllegalTransition | LimitExceeded:
    """Return which condition of ``admit_file`` did not hold."""
    if not _open_rows(session).exists():
        return _refusal(session, SessionStatus.UPLOADING, OPEN)
    return _full(session)


def require_room(session: Any) -> None:
    """Raise ``LimitExceeded`` where the instance holds as many files as it may.

    ``admit_file`` decides; this spares reading bytes that it would refuse.
    """
    if session.total_files >= conf.max_total_count():
        raise _full(session)


def _full(session: Any) -> LimitExceeded:
    return LimitExceeded(
        _(
            "Session %(session)s is full: at most %(count)d files and %(size)d MB "
            "in all. Open another session for further files."
        )
        % {
            "session": session.uuid,
            "count": conf.max_total_count(),
            "size": conf.max_total_size_bytes() // conf.BYTES_PER_MB,
        }
    )


def hold(session: Any) -> None:
    """Hold the session's row for this transaction.

    Where rows of files are held as well, the session's comes first: two transactions
    that took them in different orders would wait for each other.
    """
    rows = type(session).objects.select_for_update(no_key=True)
    rows.filter(pk=session.pk).first()


def hold_to_dispose(session: Any) -> None:
    """Hold the row as ``hold`` does; raise ``OnHold`` where its files must stay."""
    hold(session)
    legal_hold.require_none(session, _("give up files"))


def discharge_files(session: Any, count: int, size_bytes: int) -> None:
    """Count files out, in the transaction that deletes their rows."""
    type(session).objects.filter(pk=session.pk).update(
        total_files=F("total_files") - count,
        total_size_bytes=F("total_size_bytes") - size_bytes,
    )


def count_files_anew(sessions: Any) -> None:
    """Write what the temporary rows say of sessions, in the transaction of a change.

    ``sessions`` is a queryset of EXPIRED ones, whose rows the caller holds: they have
    no permanent files.
    """
    files = sessions.model._meta.get_field("tempuploadedfile").related_model.objects
    mine = files.filter(session=OuterRef("pk")).order_by().values("session")
    count, size = mine.values(found=Count("pk")), mine.values(found=Sum("size"))
    sessions.update(
        total_files=Coalesce(Subquery(count), 0),
        total_size_bytes=Coalesce(Subquery(size), 0),
    )


def empty_if_last(session: Any, cause: Cause = SYSTEM) -> bool:
    """Move UPLOADING to CREATED where the last file has gone; return whether it did."""
    rows = type(session).objects.filter(
        pk=session.pk, status=SessionStatus.UPLOADING, total_files=0
    )
    with transaction.atomic():
        if not rows.update(status=SessionStatus.CREATED):
            return False
        _show(session, {"status": SessionStatus.CREATED})
        _record(
            session,
            SessionStatus.UPLOADING,
            SessionStatus.CREATED,
            cause,
            Outcome.SUCCESS,
        )
    return True


def touch(session: Any) -> None:
    """Write the interaction time of an open session; a closed one is left alone."""
    changes = interaction(timezone.now())
    if _open_rows(session).update(**changes):
        _show(session, changes)


def require_still_uploading(session: Any) -> None:
    """Hold the session's row UPLOADING for this transaction, and touch it.

    A job or a hold that comes meanwhile waits for the commit. Raise
    ``IllegalTransition``, or ``OnHold`` where files must stay.
    """
    rows = type(session).objects.filter(pk=session.pk, status=SessionStatus.UPLOADING)
    if not rows.filter(hold_count=0).update(**interaction(timezone.now())):
        legal_hold.require_none(session, _("give up files"))
        only = frozenset({SessionStatus.UPLOADING})
        raise _refusal(session, SessionStatus.UPLOADING, only)
