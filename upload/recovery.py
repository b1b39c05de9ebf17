"""The watchdog: queue jobs that are due, dead or lost; fail those that are spent.

Called by the worker's supervisor, a schedule and a command. May run anywhere, any
number of times and at the same time as itself; runs no job.
"""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.db import IntegrityError, transaction
from django.utils import timezone

from upload import conf, execution, order_runs, orders, queues
from upload.jobs import enqueue
from upload.models import BulkOrder, Job, UploadSession
from upload.querysets import stuck_sessions
from upload.queued_storage import watch
from upload.states import JobKind, JobState, SessionStatus
from upload.wording import gettext as _

logger = logging.getLogger(__name__)

# A job whose turn has not come after so long is queued once more: its row may be lost,
# and a second row of a job does no harm.
LEASES_IN_A_BUSY_QUEUE = 10


@dataclass(frozen=True, slots=True)
class Recovered:
    """What one sweep of the watchdog did."""

    queued: int = 0
    failed: int = 0
    recreated: int = 0
    transfers: int = 0


def recover(tell: Callable[[str], None] = logger.info) -> Recovered:
    """Queue what is due, dead or lost; fail what has had its attempts.

    May run anywhere, any number of times and at the same time as itself. One job that
    cannot be handled is logged and passed over.
    """
    return Recovered(
        failed=_give_up_exhausted(tell) + _give_up_orders(tell),
        recreated=_recreate_lost(tell),
        queued=_queue_claimable(tell) + _queue_orders(tell),
        transfers=_ask_for_transfers(tell),
    )


def _ask_for_transfers(tell: Callable[[str], None]) -> int:
    """Have files transferred that are due and that no task would come to."""
    count = watch.recover()
    if count:
        tell(f"Transfers of {count} queued storages were queued.")
    return count


def _give_up_exhausted(tell: Callable[[str], None]) -> int:
    spent = Job.objects.claimable().filter(attempts__gte=conf.job_max_attempts())
    count = 0
    for job in spent.select_related("session", "requester"):
        try:
            count += execution.give_up(job)
            tell(f"{job} has had its attempts and failed.")
        except Exception:
            logger.exception("Job %s could not be failed.", job.uuid)
    return count


def _give_up_orders(tell: Callable[[str], None]) -> int:
    spent = BulkOrder.objects.claimable().filter(attempts__gte=conf.job_max_attempts())
    count = 0
    for order in spent:
        try:
            count += order_runs.give_up(order)
            tell(f"{order} has had its attempts and failed.")
        except Exception:
            logger.exception("Order %s could not be failed.", order.uuid)
    return count


def _recreate_lost(tell: Callable[[str], None]) -> int:
    """Make a job for each moving session that has none (its rows were lost)."""
    count = 0
    for session in stuck_sessions(UploadSession.objects.all()):
        try:
            with transaction.atomic():
                job = _recreate(session)
                enqueue(job)
        except IntegrityError:
            continue  # another sweep has just made one
        tell(f"{job} was made for session {session.uuid}, which no job owned.")
        count += 1
    return count


def _recreate(session: UploadSession) -> Job:
    return Job.objects.create(
        kind=_kind_of_stuck(session),
        session=session,
        session_uuid=session.uuid,
        entered_at=timezone.now(),
        reason=_("Made by the watchdog: the session was moving and no job owned it."),
    )


def _kind_of_stuck(session: UploadSession) -> JobKind:
    """Return what finishes the session: nothing temporary left means a copy out."""
    if session.status == SessionStatus.REMOVING_IN_PROGRESS:
        return JobKind.REMOVE
    return JobKind.STORE


def _queue_claimable(tell: Callable[[str], None]) -> int:
    """Queue due and dead jobs that are not in the queue already."""
    now = timezone.now()
    empty = queues.is_empty(queues.LONG)
    count = 0
    for job in Job.objects.claimable(now):
        if _is_queued(job, now, queue_is_empty=empty):
            continue
        with transaction.atomic():
            enqueue(job)
        tell(f"{job} was queued.")
        count += 1
    return count


def _queue_orders(tell: Callable[[str], None]) -> int:
    """Queue bulk orders that are due or dead and not in the queue already."""
    now = timezone.now()
    empty = queues.is_empty(queues.SHORT)
    count = 0
    for order in BulkOrder.objects.claimable(now):
        if not _is_queued(order, now, queue_is_empty=empty):
            with transaction.atomic():
                orders.enqueue(order)
            tell(f"{order} was queued.")
            count += 1
    return count


def _is_queued(job: Job | BulkOrder, now: Any, *, queue_is_empty: bool) -> bool:
    """Return whether a worker will surely come to this job without being told.

    A job that was never queued may be run by the process that made it, so it is left
    alone for the time of one lease.
    """
    if (job.enqueued_at or job.created_at) > now + conf.job_lease():
        return False  # by a clock that was wrong; its queue row waits until then
    if job.enqueued_at is None:
        return bool(job.created_at > now - conf.job_lease())
    # A dead worker's last sign of life: what was queued before it, that worker took.
    due_since = job.heartbeat_at if job.state == JobState.RUNNING else job.next_run_at
    if due_since and job.enqueued_at < due_since:
        return False
    patience = conf.job_lease() * (1 if queue_is_empty else LEASES_IN_A_BUSY_QUEUE)
    return bool(job.enqueued_at > now - patience)
