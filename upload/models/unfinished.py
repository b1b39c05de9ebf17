"""Uploads that have begun and are no file yet."""

from django.conf import settings
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from upload.models.base import PublicUuid, TellsNotUpdated
from upload.models.session import UploadSession


class UnfinishedUpload(PublicUuid, TellsNotUpdated):
    """A resumable upload: what was announced, and how many bytes are durable.

    ``offset`` is never more than what was fsynced. ``uuid`` becomes the file's own, so
    that an upload can end in one file only. A finished one (``finished_at``) stays
    until ``expires_at``, for a sender whose last answer was lost.
    """

    session = models.ForeignKey(
        UploadSession, verbose_name=_("session"), on_delete=models.CASCADE
    )
    name = models.CharField(_("name"), max_length=255)
    relative_path = models.CharField(_("folder path"), max_length=1024, blank=True)
    sha256 = models.CharField(_("SHA-256"), max_length=64, blank=True)
    numbered = models.BooleanField(default=False)
    length = models.PositiveBigIntegerField(_("size"))
    offset = models.PositiveBigIntegerField(_("received bytes"), default=0)
    metadata = models.TextField(blank=True)
    sender = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        verbose_name=_("received from"),
        null=True,
        related_name="+",
        on_delete=models.SET_NULL,
    )
    via = models.CharField(max_length=32, blank=True)
    created_at = models.DateTimeField(_("started"), default=timezone.now)
    expires_at = models.DateTimeField(_("expires"), db_index=True)
    finished_at = models.DateTimeField(_("finished"), null=True)

    class Meta:
        verbose_name = _("unfinished upload")
        verbose_name_plural = _("unfinished uploads")
        ordering = ["pk"]

    def __str__(self) -> str:
        return self.name
