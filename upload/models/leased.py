"""The lease that jobs and bulk orders have alike; ``lease`` writes it."""

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from upload.models.base import NotesError, PublicUuid
from upload.states import ENDED_JOB_STATES


class Leased(PublicUuid, NotesError):
    """Work that one worker at a time has, until ``lease_until`` or while it beats.

    ``fence`` counts the claims: a write with an older number is lost. ``attempts``
    counts the starts. The model's ``state`` begins with the values of ``JobState``.
    """

    started_at = models.DateTimeField(_("started"), null=True)
    finished_at = models.DateTimeField(_("finished"), null=True)
    enqueued_at = models.DateTimeField(_("queued"), null=True)
    next_run_at = models.DateTimeField(_("next run"), default=timezone.now)
    heartbeat_at = models.DateTimeField(_("last heartbeat"), null=True)
    lease_until = models.DateTimeField(_("lease until"), null=True)
    lease_owner = models.CharField(_("worker"), max_length=255, blank=True)
    fence = models.PositiveIntegerField(_("fence"), default=0)
    attempts = models.PositiveSmallIntegerField(_("attempts"), default=0)
    cancel_requested_at = models.DateTimeField(_("cancel asked"), null=True)
    error_code = models.CharField(_("error code"), max_length=64, blank=True)

    class Meta:
        abstract = True

    @property
    def has_ended(self) -> bool:
        return getattr(self, "state", "") in ENDED_JOB_STATES
