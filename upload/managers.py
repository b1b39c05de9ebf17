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
        an active job is left to that job: what a clerk has asked for goes first.
        """
        return self.get_queryset().past_expiry().without_active_job()

    def get_deletable(self) -> UploadSessionQuerySet:
        """Return sessions whose row may be deleted.

        They are EXPIRED, hold no file any more and no draft or submission refers to
        them. Empty where expiry is off.
        """
        if conf.expire_after() is None:
            return self.get_queryset().none()
        return (
            self.get_queryset()
            .filter(status=SessionStatus.EXPIRED)
            .unclaimed_by_submission()
        )
