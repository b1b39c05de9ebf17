"""The ORM broker, refusing every task that is not on the allow-list.

django-q2 runs any dotted path that a queue or schedule row names; this stands before
it, so that a forged row is dropped and logged instead of run.
"""

import logging
from typing import Any

from django.utils import timezone
from django_q.brokers.orm import ORM
from django_q.conf import Conf
from django_q.signing import BadSignature, SignedPackage

from upload import queues

logger = logging.getLogger(__name__)

ALLOWED_TASKS = frozenset(
    {
        "upload.tasks.run_job",
        "upload.tasks.run_order",
        "upload.tasks.expire_sessions",
        "upload.tasks.remind_expiring",
        "upload.tasks.delete_expired_sessions",
        "upload.tasks.recover_jobs",
        "upload.tasks.reconcile_storage",
        "upload.tasks.queue_fixity_checks",
        "upload.tasks.sweep_unfinished_uploads",
        "upload.tasks.refresh_rollups",
        "upload.tasks.index_names",
        "upload.tasks.heartbeat",
        "upload.queued_storage.tasks.drain",
    }
)


class AllowListBroker(ORM):
    """Hands out only tasks whose function is allowed and that name no hook."""

    def dequeue(self) -> list[tuple[int, Any]] | None:
        tasks = self._heartbeats() or super().dequeue()
        if not tasks:
            return None
        return [(pk, payload) for pk, payload in tasks if self._accept(pk, payload)]

    def _heartbeats(self) -> list[tuple[int, Any]]:
        """Take what the supervisor of this host has asked its own workers."""
        now, key = timezone.now(), queues.heartbeat_key(self.list_key)
        waiting = self.get_connection().filter(key=key, lock__lt=now)[: Conf.BULK]
        return [
            (row.pk, row.payload)
            for row in waiting
            if self.get_connection()
            .filter(pk=row.pk, lock=row.lock)
            .update(lock=self.timeout(row))
        ]

    def _accept(self, pk: int, payload: Any) -> bool:
        try:
            task = SignedPackage.loads(payload)
        except (TypeError, BadSignature):
            # Kept for the time of the lock: a rotated key must not delete work.
            logger.exception("Queue row %s has a bad signature.", pk)
            return False
        if is_allowed(task):
            return True
        logger.error("Queue row %s names %r: refused.", pk, task.get("func"))
        self.delete(pk)
        return False


def is_allowed(task: dict[str, Any]) -> bool:
    """Return whether the task names an allowed function, no hook and no chain."""
    extras = any(task.get(name) for name in ("hook", "chain"))
    return task.get("func") in ALLOWED_TASKS and not extras
