"""What was copied where, and who opened what."""

from django.conf import settings
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from upload.models.destination import Destination
from upload.models.job import Job
from upload.models.session import UploadSession


class FileCopy(models.Model):
    """One file at one destination, as last verified there.

    Stays when the file is removed here: ``file_uuid`` and ``session_uuid`` name what
    was copied. ``place`` is the SHA-256 of root and key: one row a place, however long
    its path.
    """

    session = models.ForeignKey(
        UploadSession, verbose_name=_("session"), null=True, on_delete=models.SET_NULL
    )
    session_uuid = models.UUIDField(_("session UUID"), db_index=True)
    file_uuid = models.UUIDField(_("file"), db_index=True)
    name = models.CharField(_("name"), max_length=255)
    destination = models.ForeignKey(
        Destination,
        verbose_name=_("destination"),
        null=True,
        on_delete=models.PROTECT,
    )
    target_root = models.CharField(_("folder"), max_length=1024)
    target_key = models.TextField(_("path"))
    place = models.CharField(max_length=64, unique=True, editable=False)
    size_bytes = models.PositiveBigIntegerField(_("size"))
    sha256 = models.CharField(_("SHA-256"), max_length=64)
    job = models.ForeignKey(
        Job, verbose_name=_("job"), null=True, on_delete=models.SET_NULL
    )
    verified_at = models.DateTimeField(_("verified"), default=timezone.now)
    # NULL: good, as far as was found when it was last read.
    fixity_failed_at = models.DateTimeField(_("fixity failed"), null=True, blank=True)

    class Meta:
        verbose_name = _("file copy")
        verbose_name_plural = _("file copies")
        ordering = ["pk"]
        indexes = [
            models.Index(
                fields=["fixity_failed_at"],
                condition=models.Q(fixity_failed_at__isnull=False),
                name="copy_fixity_failed",
            )
        ]

    def __str__(self) -> str:
        return f"{self.name} → {self.target_root}"


class AccessLog(models.Model):
    """Who opened or downloaded which file, by which door."""

    session = models.ForeignKey(
        UploadSession, verbose_name=_("session"), null=True, on_delete=models.SET_NULL
    )
    session_uuid = models.UUIDField(_("session UUID"), db_index=True)
    file_uuid = models.UUIDField(_("file"), db_index=True)
    name = models.CharField(_("name"), max_length=255)
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        verbose_name=_("person"),
        null=True,
        related_name="+",
        on_delete=models.SET_NULL,
    )
    user_name = models.CharField(_("who"), max_length=150, blank=True)
    action = models.CharField(_("action"), max_length=16)
    created_at = models.DateTimeField(_("when"), default=timezone.now, db_index=True)

    class Meta:
        verbose_name = _("access")
        verbose_name_plural = _("accesses")
        ordering = ["-created_at", "-pk"]

    def __str__(self) -> str:
        return f"{self.user_name} {self.action} {self.name}"
