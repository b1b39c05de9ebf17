"""What stays of removed files: their names and digests, and the certificate."""

from typing import Any, ClassVar

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from upload.models.base import PublicUuid
from upload.models.event import AppendOnly
from upload.models.job import Job
from upload.models.session import UploadSession


class NeverChanged(models.Model):
    """Rows that are written once: no update, no delete."""

    objects: ClassVar[Any] = AppendOnly.as_manager()

    class Meta:
        abstract = True

    def save(self, *args: Any, **kwargs: Any) -> None:
        if not self._state.adding:
            raise TypeError("Evidence of removals is append-only: it never changes.")
        super().save(*args, **kwargs)

    def delete(self, *args: Any, **kwargs: Any) -> tuple[int, dict[str, int]]:
        raise TypeError("Evidence of removals is append-only: it is never deleted.")


class RemovedFile(NeverChanged):
    """One file that a removal took, written in the transaction that took its row.

    ``was_stored``: it was in permanent storage. ``relative_path`` is the sender's, as
    of ``BaseUploadedFile``; no storage key stays.
    """

    job = models.ForeignKey(
        Job, null=True, related_name="removed_set", on_delete=models.SET_NULL
    )
    job_uuid = models.UUIDField(_("job UUID"))
    file_uuid = models.UUIDField(_("file"))
    name = models.CharField(_("name"), max_length=255)
    # A worker of the version before knows no such column while it is replaced.
    relative_path = models.CharField(
        _("folder path"), max_length=1024, blank=True, default="", db_default=""
    )
    size_bytes = models.PositiveBigIntegerField(_("size"))
    sha256 = models.CharField(_("SHA-256"), max_length=64, blank=True)
    was_stored = models.BooleanField(_("was stored"))
    removed_at = models.DateTimeField(_("removed"), default=timezone.now)

    class Meta:
        verbose_name = _("removed file")
        verbose_name_plural = _("removed files")
        ordering = ["pk"]
        default_permissions = ("view",)
        indexes = [models.Index(fields=["job_uuid", "id"], name="removed_by_job")]

    def __str__(self) -> str:
        return self.name

    @property
    def path(self) -> str:
        """The file's name with the folders it came in, by which people know it."""
        return self.relative_path or self.name


class RemovalCertificate(NeverChanged, PublicUuid):
    """Who had what removed, when and why; written with the removal's last move.

    ``digest`` is the SHA-256 over the lines of its files, by which anybody can see that
    the list is the one that was certified. ``complete`` is false where the removal was
    given up and bytes may have been left to the sweep.
    """

    job = models.ForeignKey(
        Job, null=True, related_name="certificate_set", on_delete=models.SET_NULL
    )
    job_uuid = models.UUIDField(_("job UUID"), unique=True)
    session = models.ForeignKey(
        UploadSession,
        verbose_name=_("session"),
        null=True,
        related_name="certificate_set",
        on_delete=models.SET_NULL,
    )
    session_uuid = models.UUIDField(_("session UUID"), db_index=True)
    owner_name = models.CharField(_("owner"), max_length=150, blank=True)
    submissions = models.JSONField(_("submissions"), default=list)
    requested_by = models.CharField(_("asked by"), max_length=150, blank=True)
    requested_at = models.DateTimeField(_("asked"))
    reason = models.TextField(_("reason"), blank=True)
    approved_by = models.CharField(_("approved by"), max_length=150, blank=True)
    approved_at = models.DateTimeField(_("approved"), null=True)
    files = models.PositiveIntegerField(_("files"))
    size_bytes = models.PositiveBigIntegerField(_("size"))
    digest = models.CharField(_("digest of the list"), max_length=64)
    complete = models.BooleanField(_("complete"))
    created_at = models.DateTimeField(_("removed"), default=timezone.now)

    class Meta:
        verbose_name = _("certificate of removal")
        verbose_name_plural = _("certificates of removal")
        ordering = ["-created_at", "-pk"]
        default_permissions = ("view",)

    def __str__(self) -> str:
        return f"{self.uuid}"
