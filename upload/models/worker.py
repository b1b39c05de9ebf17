"""Signs of life of the queues."""

from django.db import models
from django.utils.translation import gettext_lazy as _


class WorkerBeat(models.Model):
    """When a queue's workers on one host last ran a heartbeat task.

    A row for each host: on a shared database a healthy one would hide another's hung
    cluster.
    """

    queue = models.CharField(_("queue"), max_length=32)
    host = models.CharField(_("host"), max_length=255)
    seen_at = models.DateTimeField(_("last heartbeat"))

    class Meta:
        verbose_name = _("queue heartbeat")
        verbose_name_plural = _("queue heartbeats")
        ordering = ["queue", "host"]
        constraints = [
            models.UniqueConstraint(
                fields=["queue", "host"], name="one_heartbeat_a_queue_and_host"
            )
        ]

    def __str__(self) -> str:
        return f"{self.queue} ({self.host})"
