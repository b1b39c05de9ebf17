"""Questions asked of sessions, files and jobs; nothing here writes."""

from datetime import datetime
from typing import Any

from django.db import models
from django.db.models import Exists, F, OuterRef, Q, Subquery
from django.db.models.functions import Coalesce
from django.utils import timezone

from upload import conf
from upload.states import (
    ACTIVE_JOB_STATES,
    MOVING_KINDS,
    OPEN,
    JobKind,
    JobState,
    OrderState,
    SessionStatus,
)


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
        """Return sessions that no job moves or waits to; a verification may run."""
        return self.exclude(self._has_job(kind__in=MOVING_KINDS))

    def _has_job(self, **values: Any) -> Exists:
        jobs: Any = self.model._meta.get_field("job").related_model
        mine = jobs.objects.active().filter(session=OuterRef("pk"), **values)
        return Exists(mine)

    def fixity_due(self, at: datetime | None = None) -> "UploadSessionQuerySet":
        """Return stored sessions whose files are due to be read, the longest first.

        None where FIXITY_CHECK_EVERY_DAYS is off; none that is about to be verified.
        """
        every = conf.fixity_check_every()
        if every is None:
            return self.none()
        cutoff = (at or timezone.now()) - every
        never_or_long_ago = Q(fixity_checked_at=None) | Q(fixity_checked_at__lt=cutoff)
        due = self.filter(never_or_long_ago, status=SessionStatus.STORED)
        idle = due.exclude(self._has_job(kind=JobKind.VERIFY, destination=None))
        return idle.order_by(F("fixity_checked_at").asc(nulls_first=True), "pk")

    def titled(self) -> "UploadSessionQuerySet":
        """Add ``title``: its newest submission's, else its draft's, else NULL."""
        submitted = self._described_by("submission").order_by("-submitted_at", "-pk")
        drafted = self._described_by("in_progress_submission")
        newest, draft = submitted.values("title")[:1], drafted.values("title")[:1]
        return self.annotate(title=Coalesce(Subquery(newest), Subquery(draft)))

    def _described_by(self, name: str) -> Any:
        model: Any = self.model._meta.get_field(name).related_model
        return model._default_manager.filter(upload_session=OuterRef("pk"))

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

    def moving(self) -> "JobQuerySet":
        """Return active jobs that move bytes: at most one a session."""
        return self.active().filter(kind__in=MOVING_KINDS)

    def due(self, at: datetime | None = None) -> "JobQuerySet":
        """Return queued jobs whose next run has come."""
        now = at or timezone.now()
        return self.filter(state=JobState.QUEUED, next_run_at__lte=now)

    def dead(self, at: datetime | None = None) -> "JobQuerySet":
        """Return running jobs whose worker has let its lease run out."""
        now = at or timezone.now()
        return self.filter(state=JobState.RUNNING, lease_until__lt=now)

    def awaiting_decision_of(self, person: Any) -> "JobQuerySet":
        """Return removals that wait for this person: not those they asked for."""
        waiting = self.filter(state=JobState.AWAITING_APPROVAL)
        if not person.has_perm("upload.approve_removal_uploadsession"):
            return self.none()
        return waiting.exclude(requester=person.pk)

    def claimable(self, at: datetime | None = None) -> "JobQuerySet":
        """Return jobs that a worker may start now.

        A time further ahead than any of ours can lie was written while a clock was
        wrong, so it holds nobody back.
        """
        now = at or timezone.now()
        never_so_late = now + conf.job_longest_wait()
        never_so_long = now + conf.job_lease() * 1.5
        return self.filter(
            Q(state=JobState.QUEUED, next_run_at__lte=now)
            | Q(state=JobState.QUEUED, next_run_at__gt=never_so_late)
            | Q(state=JobState.RUNNING, lease_until__lt=now)
            | Q(state=JobState.RUNNING, lease_until__gt=never_so_long)
        )


class OrderQuerySet(JobQuerySet):
    """Questions asked of bulk orders; a draft is due to nobody."""

    def visible_to(self, person: Any) -> "OrderQuerySet":
        """Return every confirmed order to who sees all sessions, else one's own."""
        if not person.has_perm("upload.view_bulkorder"):
            return self.none()
        mine = Q(requester=person)
        if not person.has_perm("upload.view_uploadsession"):
            return self.filter(mine)
        return self.filter(mine | ~Q(state=OrderState.DRAFT))


class DestinationQuerySet(models.QuerySet[Any]):
    def enabled(self) -> "DestinationQuerySet":
        return self.filter(enabled=True)


def stuck_sessions(sessions: UploadSessionQuerySet) -> UploadSessionQuerySet:
    """Return sessions in a moving state that no active job owns."""
    moving = [SessionStatus.COPYING_IN_PROGRESS, SessionStatus.REMOVING_IN_PROGRESS]
    return sessions.filter(status__in=moving).without_active_job()
