"""What a queued task may do; ``broker.ALLOWED_TASKS`` names them all.

A task carries a job's id or nothing. Running one twice, late or at the same time as
itself is harmless.
"""

import logging
import socket
import time
from collections.abc import Callable
from typing import Any

from django.utils import timezone

from upload import (
    execution,
    expiry,
    fixity,
    name_index,
    order_runs,
    orders,
    orphans,
    queues,
    recovery,
    reminders,
    rollups,
    unfinished,
)
from upload.models import BulkOrder, Job, UnfinishedUpload, UploadSession, WorkerBeat

logger = logging.getLogger(__name__)

BEAT_SECONDS = 5


def run_job(job_id: int) -> bool:
    """Run one attempt of a job; False where it was not this worker's to run."""
    job = Job.objects.select_related("session", "destination", "requester").get(
        pk=job_id
    )
    was_ours = execution.execute(job)
    if job.order is not None:
        orders.wake(job.order)
    return was_ours


def run_order(order_id: int) -> bool:
    """Run one slice of a bulk order; False where it was not this worker's to run."""
    order = BulkOrder.objects.select_related("destination").filter(pk=order_id).first()
    return order is not None and order_runs.run_slice(order)


def expire_sessions() -> str:
    """Expire sessions whose time is over."""
    done, failed = expiry.expire_due(UploadSession.objects, _beating())
    return f"{done} expired, {failed} failed"


def remind_expiring() -> str:
    """Remind owners of sessions that expire soon."""
    sent, failed = reminders.remind_due(UploadSession.objects.all(), _beating())
    return f"{sent} reminded, {failed} failed"


def delete_expired_sessions() -> str:
    """Delete the rows of sessions that expired long ago, and old drafts of orders."""
    done, failed = expiry.delete_expired(UploadSession.objects, _beating())
    orders.drop_old_drafts(logger.info)
    return f"{done} deleted, {failed} failed"


def recover_jobs() -> str:
    """Queue jobs that are due, dead or were never queued: the watchdog."""
    return str(recovery.recover())


def reconcile_storage() -> str:
    """Delete orphan bytes that our records explain; log what is missing."""
    found = orphans.sweep()
    return (
        f"{len(found.deleted)} deleted, {len(found.unexplained)} unexplained, "
        f"{len(found.missing)} missing, {found.staging_dropped} staging files dropped"
    )


def queue_fixity_checks() -> str:
    """Queue the checks of stored files that are due, as many as one run may."""
    return f"{fixity.queue_due(UploadSession.objects)} queued"


def sweep_unfinished_uploads() -> str:
    """End resumable uploads whose time is over."""
    return f"{unfinished.sweep(UnfinishedUpload.objects)} ended"


def index_names() -> str:
    """Let the search know the names and titles that came since (SQLite)."""
    return f"{name_index.extend()} indexed"


def refresh_rollups() -> None:
    """Count anew what the dashboard of a large portal shows."""
    rollups.refresh()


def _beating() -> Callable[[Any, Exception | None], None]:
    """Return a callback for sweeps: a long one must not look like a hung queue."""
    last = time.monotonic()

    def beat(session: Any, problem: Exception | None) -> None:
        nonlocal last
        if time.monotonic() - last > BEAT_SECONDS:
            heartbeat(queues.SHORT)
            last = time.monotonic()

    return beat


def heartbeat(queue: str) -> None:
    """Note that the queue's workers on this host take tasks.

    The supervisor of this host watches it, whoever asked for the heartbeat.
    """
    WorkerBeat.objects.update_or_create(
        queue=queue,
        host=socket.gethostname(),
        defaults={"seen_at": timezone.now()},
    )
