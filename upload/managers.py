"""The manager of upload sessions, as the seed document names it."""

from django.db import models

from upload import conf
from upload.querysets import UploadSessionQuerySet
from upload.states import SessionStatus


class UploadSessionManager(models.Manager.from_queryset(UploadSessionQuerySet)):  # type: ignore[misc]
    """Adds what the scheduled jobs ask."""

    def get_expirable(self) -> UploadSessionQuerySet:
        """Return open sessions whose time is over and on which no job is active.

        Empty where UPLOAD_SESSION_EXPIRE_AFTER_INACTIVE_MINUTES is -1. A session with
        an active job is left to that job: what a clerk has asked for goes first. What
        a submission refers to, or a legal hold keeps, is no cleanup's to take.
        """
        open_too_long = self.get_queryset().past_expiry().without_active_job()
        return open_too_long.filter(submission__isnull=True, hold_count=0)

    def get_deletable(self) -> UploadSessionQuerySet:
        """Return sessions whose row may be deleted.

        They are EXPIRED, no draft, submission or legal hold refers to them and none of
        their files ever became permanent. Empty where expiry is off.
        """
        if conf.expire_after() is None:
            return self.get_queryset().none()
        return (
            self.get_queryset()
            .filter(
                status=SessionStatus.EXPIRED,
                permuploadedfile__isnull=True,
                hold_count=0,
            )
            .unclaimed_by_submission()
        )
