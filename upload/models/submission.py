"""Drafts and submissions: what a session's files are, in words."""

from typing import Any, ClassVar

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from upload import holding
from upload.errors import IllegalTransition
from upload.models.base import PublicUuid
from upload.models.session import UploadSession


class InProgressSubmission(PublicUuid):
    """A draft. Deleting it never deletes its session."""

    user = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        verbose_name=_("owner"),
        null=True,
        blank=True,
        on_delete=models.SET_NULL,
    )
    title = models.CharField(_("title"), max_length=255)
    source = models.CharField(_("source"), max_length=255, blank=True)
    extent = models.CharField(_("extent"), max_length=255, blank=True)
    # Reverse accessor of the seed document: session.in_progress_submission.
    upload_session = models.OneToOneField(
        UploadSession,
        verbose_name=_("upload session"),
        null=True,
        blank=True,
        related_name="in_progress_submission",
        on_delete=models.SET_NULL,
    )
    last_updated = models.DateTimeField(_("last updated"), auto_now=True)

    class Meta:
        verbose_name = _("submission in progress")
        verbose_name_plural = _("submissions in progress")
        ordering = ["-last_updated", "-pk"]

    def __str__(self) -> str:
        return self.title


class SubmissionQuerySet(models.QuerySet[Any]):
    """Leaves what ties a submission to its session to ``save``, which counts holds."""

    def update(self, **kwargs: Any) -> int:
        if kwargs.keys() & {"upload_session", "upload_session_id"}:
            raise TypeError("Save each submission to give it another session.")
        return super().update(**kwargs)


class Submission(PublicUuid):
    """A finished submission. While it refers to a session, the session stays.

    A hold on it keeps its session as well; held, it cannot leave its session.
    """

    user = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        verbose_name=_("submitted by"),
        null=True,
        blank=True,
        on_delete=models.SET_NULL,
    )
    accession_number = models.CharField(
        _("accession number"), max_length=64, unique=True, null=True, blank=True
    )
    title = models.CharField(_("title"), max_length=255, db_index=True)
    source = models.CharField(_("source"), max_length=255, blank=True)
    extent = models.CharField(_("extent"), max_length=255, blank=True)
    # Reverse accessor of the seed document: session.submission_set.
    upload_session = models.ForeignKey(
        UploadSession,
        verbose_name=_("upload session"),
        null=True,
        blank=True,
        on_delete=models.PROTECT,
    )
    submitted_at = models.DateTimeField(_("submitted"), default=timezone.now)

    objects: ClassVar[Any] = SubmissionQuerySet.as_manager()

    class Meta:
        verbose_name = _("submission")
        verbose_name_plural = _("submissions")
        ordering = ["-submitted_at", "-pk"]

    def __str__(self) -> str:
        if self.accession_number:
            return f"{self.accession_number} {self.title}"
        return self.title

    def clean(self) -> None:
        try:
            holding.require_may_move(self, self.upload_session)
        except IllegalTransition as error:
            raise ValidationError({"upload_session": str(error)}) from error

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Save; raise ``OnHold`` where a held submission would leave its session."""
        holding.save_submission(
            self, lambda: super(Submission, self).save(*args, **kwargs)
        )
