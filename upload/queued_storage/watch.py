"""The watchdog: queue transfers that are due and that no task will come to.

Finds what a lost queue, a killed worker or a delay has left. May run at any time.
"""

import logging
from datetime import timedelta

from django.utils import timezone

from upload.queued_storage import queueing
from upload.queued_storage.conf import settings
from upload.queued_storage.models import DrainRequest, QueuedFile

logger = logging.getLogger(__name__)


def recover() -> int:
    """Ask once more for each storage that has due files; return how many were asked.

    A request that is younger than a lease is left alone: its task is on its way.
    """
    now = timezone.now()
    lease = timedelta(seconds=settings.QUEUED_STORAGE_LEASE_SECONDS)
    due = QueuedFile.objects.filter(next_run_at__lte=now)
    count = 0
    for key in due.order_by().values_list("storage", flat=True).distinct():
        stale = DrainRequest.objects.filter(
            storage=key, is_asked=True, asked_at__lte=now - lease
        )
        if stale.update(asked_at=now):
            queueing.push(key)
            count += 1
        else:
            count += queueing.ask(key)
    return count
