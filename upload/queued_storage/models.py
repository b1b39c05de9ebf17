"""Where each file of a queued storage is: the one truth about it."""

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _


class FileState(models.TextChoices):
    """Where the bytes are.

    ::

        LOCAL ──▶ DUE ──▶ SENDING ──▶ BOTH | REMOTE
                   ▲         │
                   └─────────┴──▶ FAILED      any ──▶ DELETING ──▶ (no row)
    """

    LOCAL = "local", _("local, to be transferred by hand")
    DUE = "due", _("local, waiting for its transfer")
    SENDING = "sending", _("in transfer")
    BOTH = "both", _("local and remote")
    REMOTE = "remote", _("remote")
    FAILED = "failed", _("local, the transfer failed")
    DELETING = "deleting", _("being deleted")


SENT = (FileState.BOTH, FileState.REMOTE)


class QueuedFile(models.Model):
    """One file: both its names, what its bytes are, and what is to be done about it.

    ``next_run_at`` is when a worker may take the row, NULL if there is nothing to do;
    while a worker has it, the end of its lease. Every write of a worker is conditional
    on ``fence``, which each claim and each deletion raises. Names may be longer than an
    index holds, so uniqueness goes by digests. No column holds an option or a secret.
    """

    storage = models.CharField(_("storage"), max_length=32)
    name = models.TextField(_("name"))
    name_digest = models.CharField(max_length=64, unique=True, editable=False)
    remote_name = models.TextField(_("name on the remote"), blank=True)
    # NULL: no name on the remote was chosen yet.
    remote_digest = models.CharField(  # noqa: DJ001
        max_length=64, unique=True, null=True, editable=False
    )
    size = models.BigIntegerField(_("size in bytes"), null=True)
    sha256 = models.CharField("SHA-256", max_length=64, blank=True)
    state = models.CharField(_("state"), max_length=8, choices=FileState)
    # Bytes may still lie locally; with REMOTE they are to be deleted.
    local_left = models.BooleanField(default=True, editable=False)
    # The class that transfers it; storages of one place may have several.
    task = models.CharField(max_length=255, blank=True, editable=False)
    # Of any length: caches differ in what they take.
    cache_key = models.TextField(blank=True, editable=False)
    attempts = models.PositiveIntegerField(_("attempts"), default=0)
    next_run_at = models.DateTimeField(_("next attempt"), null=True)
    fence = models.PositiveBigIntegerField(default=0, editable=False)
    lease_owner = models.CharField(max_length=255, blank=True, editable=False)
    error = models.TextField(_("error"), blank=True)
    saved_at = models.DateTimeField(_("saved"), default=timezone.now)
    transferred_at = models.DateTimeField(_("transferred"), null=True)

    class Meta:
        verbose_name = _("queued file")
        verbose_name_plural = _("queued files")
        ordering = ["pk"]
        indexes = [
            models.Index(fields=["storage", "next_run_at"], name="queued_file_due"),
            models.Index(fields=["storage", "state"], name="queued_file_state"),
        ]

    def __str__(self) -> str:
        return self.name


class DrainRequest(models.Model):
    """Whether a task that transfers a storage's files waits in the queue.

    It keeps a thousand saves from queueing a thousand tasks.
    """

    storage = models.CharField(max_length=32, unique=True)
    is_asked = models.BooleanField(default=False)
    asked_at = models.DateTimeField(default=timezone.now)

    class Meta:
        verbose_name = _("request for transfers")
        verbose_name_plural = _("requests for transfers")

    def __str__(self) -> str:
        return self.storage
