"""Expire many sessions in batches, in the order that ``expiry`` keeps for one.

A batch is closed first: EXPIRED, an event a session and the outcome CLOSED, in one
fenced transaction. Then bytes go, then rows, then the outcome is DONE. By the outcomes
the next attempt finds where a crash stopped; what was closed is never closed again.
"""

import logging
from collections.abc import Callable
from typing import Any

from upload import discard, expiry, policy, transitions
from upload.errors import MunimentError, NotPermitted
from upload.events import Cause
from upload.lease import Lease
from upload.models import BulkItem, BulkOrder, Job, UploadSession
from upload.order_items import NOT_THE_SESSION, gone, note, settle
from upload.states import OrderOutcome, SessionStatus, Verb
from upload.wording import of_error

logger = logging.getLogger(__name__)

BATCH = 500


def close(lease: Lease, actor: Any, items: list[BulkItem]) -> None:
    """Commit EXPIRED for those of the items that allow it now; settle the others."""
    with lease.fenced():
        held = UploadSession.objects.filter(pk__in=[i.session_id for i in items])
        # By their ids, so that two orders on the same sessions wait in a line.
        rows = held.order_by("pk").select_for_update(no_key=True)
        sessions = {session.pk: session for session in rows}
        busy = set(
            Job.objects.moving()
            .filter(session__in=list(sessions))
            .values_list("session", flat=True)
        )
        closing = []
        for item in items:
            session = sessions.get(item.session_id)
            if problem := _obstacle(actor, session, busy):
                note(item, OrderOutcome.SKIPPED, of_error(problem))
            else:
                item.outcome = OrderOutcome.CLOSED
                closing.append(session)
        cause_of = _causes(lease.row, actor)
        transitions.move_many(closing, SessionStatus.EXPIRED, cause_of)
        settle(items)


def _obstacle(actor: Any, session: Any, busy: set[int]) -> MunimentError | None:
    """Return what is against it now; the row is held, so the instance is true."""
    if session is None or not policy.may_view(actor, session):
        return gone()
    try:
        policy.require_right(actor, Verb.EXPIRE, session)
    except NotPermitted as error:
        return error
    if refusal := policy.refusal(Verb.EXPIRE, session):
        return refusal
    return expiry.busy(session) if session.pk in busy else None


def _causes(order: BulkOrder, actor: Any) -> Callable[[Any], Cause]:
    def cause_of(session: Any) -> Cause:
        told = expiry.contents(session) | {"order": str(order.uuid)}
        return Cause(actor=actor, reason=order.reason, detail=told)

    return cause_of


def purge(lease: Lease, items: list[BulkItem]) -> None:
    """Delete the files of closed sessions and settle their items as done.

    Where deleting together fails, it is tried session by session: what fails again is
    told, stays EXPIRED, and is tried again by the schedule that expires.
    """
    sessions = UploadSession.objects.filter(pk__in=[i.session_id for i in items])
    try:
        while discard.expired_files(sessions):
            lease.keep()
        for item in items:
            item.outcome = OrderOutcome.DONE
    except NOT_THE_SESSION:
        raise
    except Exception:
        logger.exception("Order %s: a batch could not be purged.", lease.row.uuid)
        _purge_each(lease, items, sessions)
    with lease.fenced():
        settle(items)


def _purge_each(lease: Lease, items: list[BulkItem], sessions: Any) -> None:
    found = {session.pk: session for session in sessions}
    for item in items:
        lease.keep()
        item.outcome = OrderOutcome.DONE
        try:
            if session := found.get(item.session_id):
                expiry.purge(session)
        except NOT_THE_SESSION:
            raise
        except Exception as error:
            logger.exception("Session %s could not be purged.", item.session_uuid)
            note(item, OrderOutcome.FAILED, of_error(error))
