"""Signs of life of the queues."""

from django.db import models
from django.utils.translation import gettext_lazy as _


class WorkerBeat(models.Model):
    """When a queue's workers last ran a heartbeat task."""

    queue = models.CharField(_("queue"), max_length=32, unique=True)
    seen_at = models.DateTimeField(_("last heartbeat"))

    class Meta:
        verbose_name = _("queue heartbeat")
        verbose_name_plural = _("queue heartbeats")

    def __str__(self) -> str:
        return self.queue
