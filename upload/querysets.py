"""Questions asked of sessions, files and jobs; nothing here writes."""

from datetime import datetime
from typing import Any

from django.db import models
from django.db.models import Q
from django.utils import timezone

from upload import conf
from upload.states import ACTIVE_JOB_STATES, OPEN, JobState, SessionStatus


class UploadSessionQuerySet(models.QuerySet[Any]):
    """Each question is one queryset; they chain."""

    def past_expiry(self, at: datetime | None = None) -> "UploadSessionQuerySet":
        """Return open sessions whose time is over; none where expiry is off."""
        after = conf.expire_after()
        if after is None:
            return self.none()
        cutoff = (at or timezone.now()) - after
        return self.filter(status__in=OPEN, last_upload_interaction_time__lt=cutoff)

    def expiring_before(self, at: datetime) -> "UploadSessionQuerySet":
        """Return open sessions that will have expired by ``at``."""
        return self.past_expiry(at)

    def still_open(self) -> "UploadSessionQuerySet":
        """Return sessions that count against a user's limit."""
        return self.filter(status__in=OPEN).exclude(pk__in=self.past_expiry())

    def unclaimed_by_submission(self) -> "UploadSessionQuerySet":
        """Return sessions that no draft and no submission refers to."""
        return self.filter(in_progress_submission__isnull=True, submission__isnull=True)

    def without_active_job(self) -> "UploadSessionQuerySet":
        """Return sessions on which no job is waiting or running."""
        return self.exclude(job__state__in=ACTIVE_JOB_STATES)

    def visible_to(self, user: Any) -> "UploadSessionQuerySet":
        """Return the sessions that ``user`` may see: all, or only their own."""
        if user.has_perm("upload.view_uploadsession"):
            return self.all()
        if user.has_perm("upload.view_own_uploadsession"):
            return self.filter(user=user)
        return self.none()


class JobQuerySet(models.QuerySet[Any]):
    """Questions asked of jobs, by time."""

    def active(self) -> "JobQuerySet":
        return self.filter(state__in=ACTIVE_JOB_STATES)

    def due(self, at: datetime | None = None) -> "JobQuerySet":
        """Return queued jobs whose next run has come."""
        now = at or timezone.now()
        return self.filter(state=JobState.QUEUED, next_run_at__lte=now)

    def dead(self, at: datetime | None = None) -> "JobQuerySet":
        """Return running jobs whose worker has let its lease run out."""
        now = at or timezone.now()
        return self.filter(state=JobState.RUNNING, lease_until__lt=now)

    def claimable(self, at: datetime | None = None) -> "JobQuerySet":
        """Return jobs that a worker may start now."""
        now = at or timezone.now()
        return self.filter(
            Q(state=JobState.QUEUED, next_run_at__lte=now)
            | Q(state=JobState.RUNNING, lease_until__lt=now)
        )


class DestinationQuerySet(models.QuerySet[Any]):
    def enabled(self) -> "DestinationQuerySet":
        return self.filter(enabled=True)


def stuck_sessions(sessions: UploadSessionQuerySet) -> UploadSessionQuerySet:
    """Return sessions in a moving state that no active job owns."""
    moving = [SessionStatus.COPYING_IN_PROGRESS, SessionStatus.REMOVING_IN_PROGRESS]
    return sessions.filter(status__in=moving).without_active_job()
