"""Run one slice of a bulk order: claim it, do batches for some seconds, give it back.

Called by the worker with an order that was queued. A slice ends soon, so an order of a
hundred thousand sessions lets other short tasks have their turn. May be called at any
time and any number of times: only a claim starts work, and each session's outcome is
written in the transaction that does its deed.
"""

import logging
import time
from datetime import timedelta
from typing import Any

from django.contrib.auth import get_user_model
from django.db import connection, transaction

from upload import conf, lease, order_deeds, order_expiry, orders
from upload.errors import (
    IllegalTransition,
    JobCancelled,
    LeaseLost,
    MunimentError,
    NotFound,
    NotPermitted,
    ReasonMissing,
    SessionBusy,
    WorkerStopping,
)
from upload.lease import Lease
from upload.models import BulkItem, BulkOrder, UploadSession
from upload.order_deeds import QUEUEING, Case
from upload.order_items import NOT_THE_SESSION, batch, gone, note, settle, settle_rest
from upload.states import OrderOutcome, OrderState, OrderVerb
from upload.wording import gettext as _
from upload.wording import noted, of_error

logger = logging.getLogger(__name__)

SLICE_SECONDS = 5.0
BATCH = 50
# Where the order's jobs fill the queue, and no end of one wakes it.
SLEEP = timedelta(seconds=60)
# The session does not allow it: skipped. Whatever else is raised is a failure.
NOT_NOW = (IllegalTransition, NotFound, NotPermitted, ReasonMissing, SessionBusy)


def run_slice(order: BulkOrder) -> bool:
    """Do some batches of the order; return whether it was ours to run."""
    work = lease.claim_order(order)
    if work is None:
        return False
    try:
        _do_batches(work)
    except LeaseLost:
        logger.warning("Order %s: lease lost, another attempt has it.", order.uuid)
    except WorkerStopping:
        work.release(timedelta(0), counted=False)
    except JobCancelled:
        _end(work, OrderState.CANCELLED)
    except NotPermitted as error:
        _end(work, OrderState.FAILED, error)
    except Exception as error:  # noqa: BLE001 - an order's outer edge: kept on the row
        _release_or_fail(work, error)
    except BaseException as error:
        _release_or_fail(work, error)
        raise
    return True


def _do_batches(work: Lease) -> None:
    """Work until the slice is over, the order done, or its jobs fill the queue."""
    until = time.monotonic() + SLICE_SECONDS
    while time.monotonic() < until:
        work.renew()
        if not _step(work):
            return
    work.release(timedelta(0), attempts=0)  # it has come further: attempts count anew
    _go_on(work)


def _go_on(work: Lease) -> None:
    """Queue the next slice."""
    with transaction.atomic():
        orders.enqueue(work.row)


def _step(work: Lease) -> bool:
    """Do one batch; False where the order has ended or waits."""
    order = work.row
    if closed := batch(order, OrderOutcome.CLOSED, order_expiry.BATCH):
        order_expiry.purge(work, closed)
        return True
    actor = _requester(order)
    orders.require_right(actor, order.verb)
    if order.verb == OrderVerb.EXPIRE:
        return _close_next(work, actor)
    room = orders.room_for_jobs(order) if order.verb in QUEUEING else BATCH
    if room <= 0:
        _sleep(work)
        return False
    items = batch(order, OrderOutcome.PENDING, min(room, BATCH))
    if not items:
        _end(work, OrderState.SUCCEEDED)
        return False
    _do_each(work, actor, items)
    return True


def _requester(order: BulkOrder) -> Any:
    """Read who asked anew: rights may be taken away while the order runs."""
    people: Any = get_user_model()
    return people._default_manager.filter(pk=order.requester_id).first()


def _sleep(work: Lease) -> None:
    """Wait for jobs to end; the last of them may have done so a moment ago."""
    work.release(SLEEP, attempts=0)
    if orders.room_for_jobs(work.row) > orders.MOST_JOBS - orders.FEW_JOBS:
        orders.wake(work.row)


def _close_next(work: Lease, actor: Any) -> bool:
    items = batch(work.row, OrderOutcome.PENDING, order_expiry.BATCH)
    if not items:
        _end(work, OrderState.SUCCEEDED)
        return False
    try:
        order_expiry.close(work, actor, items)
    except NOT_THE_SESSION:
        raise
    except Exception:
        logger.exception("Order %s: a batch could not be closed.", work.row.uuid)
        for item in items:
            _close_one(work, actor, item)
    return True


def _close_one(work: Lease, actor: Any, item: BulkItem) -> None:
    note(item, OrderOutcome.PENDING)
    try:
        order_expiry.close(work, actor, [item])
    except NOT_THE_SESSION:
        raise
    except Exception as error:
        logger.exception("Session %s could not be closed.", item.session_uuid)
        _note(item, error)
        with work.fenced():
            settle([item])


def _do_each(work: Lease, actor: Any, items: list[BulkItem]) -> None:
    """Do the deed to each session; the deeds and their outcomes commit together."""
    found = UploadSession.objects.in_bulk([item.session_id for item in items])
    able = []
    for item in items:
        work.keep()  # a destination that is asked may take its time
        session = found.get(item.session_id)
        case = Case(work.row, actor, item, session) if session else None
        if case and _tried(order_deeds.check, case):
            able.append(case)
        elif not case:
            _note(item, gone())
    with work.fenced():
        for case in able:
            _tried(_act_alone, case)
        settle(items)


def _act_alone(case: Case) -> None:
    with transaction.atomic():
        order_deeds.act(case)


def _tried(deed: Any, case: Case) -> bool:
    """Return whether the deed was done; otherwise note on the item why not."""
    try:
        deed(case)
    except NOT_THE_SESSION:
        raise
    except Exception as error:
        if not isinstance(error, MunimentError):
            logger.exception("Session %s could not be done.", case.item.session_uuid)
        _note(case.item, error)
        return False
    return True


def _note(item: BulkItem, error: Exception) -> None:
    skipped = isinstance(error, NOT_NOW)
    outcome = OrderOutcome.SKIPPED if skipped else OrderOutcome.FAILED
    note(item, outcome, of_error(error) or type(error).__name__)


def _end(work: Lease, state: OrderState, error: BaseException | None = None) -> None:
    """Write the order's end and settle every session that is left.

    Sessions that are closed already lose their files first: what was begun is ended.
    """
    told = noted(error)
    try:
        while closed := batch(work.row, OrderOutcome.CLOSED, order_expiry.BATCH):
            order_expiry.purge(work, closed)
        with work.fenced():
            settle_rest(work.row, OrderOutcome.LEFT, told["error"])
            work.end(state, **told)
    except LeaseLost:
        logger.warning("Order %s: lease lost at its end.", work.row.uuid)
        return
    logger.info("Order %s (%s) ended: %s.", work.row.uuid, work.row.verb, state)


def _release_or_fail(work: Lease, error: BaseException) -> None:
    """Give the order back for a later attempt, or fail it after the last."""
    logger.exception("Order %s failed.", work.row.uuid)
    if connection.errors_occurred and not connection.in_atomic_block:
        connection.close_if_unusable_or_obsolete()
    if work.row.attempts >= conf.job_max_attempts():
        _end(work, OrderState.FAILED, error)
        return
    work.release(conf.job_retry_delay(work.row.attempts), **noted(error))


def give_up(order: BulkOrder) -> bool:
    """Fail an order that has had its attempts; False where it is somebody's again."""
    work = lease.claim_order_to_end(order)
    if work is None:
        return False
    reason = order.error_kept or _("its worker died")
    text = _("Given up after %(count)d attempts: %(reason)s")
    told = {"count": order.attempts, "reason": reason}
    _end(work, OrderState.FAILED, MunimentError(text % told))
    return True
