"""Jobs and their items: the truth of the background work. Thin: ``jobs`` decides."""

from typing import TYPE_CHECKING, ClassVar

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from upload.models.base import NotesError
from upload.models.destination import Destination
from upload.models.leased import Leased
from upload.models.order import BulkOrder
from upload.models.session import UploadSession
from upload.querysets import JobQuerySet
from upload.states import (
    ACTIVE_JOB_STATES,
    MOVING_KINDS,
    ItemOutcome,
    JobKind,
    JobState,
)

if TYPE_CHECKING:
    from django.db.models.manager import Manager

    JobManager = Manager["Job"]


_ACTIVE = Q(state__in=[str(s) for s in ACTIVE_JOB_STATES])
_VERIFYING = _ACTIVE & Q(kind=str(JobKind.VERIFY))


class Job(Leased):
    """One piece of background work on one session.

    ::

        AWAITING_APPROVAL ─▶ QUEUED ◀──▶ RUNNING ─▶ SUCCEEDED | FAILED
               │                │           │
               └────────────────┴───────────┴────▶ CANCELLED

    ``fence`` and ``attempts`` rise with every claim; ``lease_until`` NULL means that
    no worker holds the job. At most one active job that moves bytes a session, and one
    verification of each place, by constraints.
    """

    kind = models.CharField(_("kind"), max_length=16, choices=JobKind.choices)
    state = models.CharField(
        _("state"), max_length=16, choices=JobState.choices, default=JobState.QUEUED
    )
    session = models.ForeignKey(
        UploadSession,
        verbose_name=_("session"),
        null=True,
        on_delete=models.SET_NULL,
    )
    session_uuid = models.UUIDField(_("session UUID"), db_index=True)
    destination = models.ForeignKey(
        Destination,
        verbose_name=_("destination"),
        null=True,
        blank=True,
        on_delete=models.PROTECT,
    )
    target_folder = models.CharField(_("folder"), max_length=1024, blank=True)
    requester = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        verbose_name=_("asked by"),
        null=True,
        related_name="requested_jobs",
        on_delete=models.SET_NULL,
    )
    approver = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        verbose_name=_("approved by"),
        null=True,
        related_name="approved_jobs",
        on_delete=models.SET_NULL,
    )
    approved_at = models.DateTimeField(_("approved"), null=True)
    # The bulk order that asked for the job, if one did.
    order = models.ForeignKey(
        BulkOrder,
        verbose_name=_("bulk order"),
        null=True,
        blank=True,
        on_delete=models.SET_NULL,
        db_index=False,
    )
    reason = models.TextField(_("reason"), blank=True)

    files_total = models.PositiveIntegerField(_("files"), default=0)
    files_done = models.PositiveIntegerField(_("files done"), default=0)
    bytes_total = models.PositiveBigIntegerField(_("bytes"), default=0)
    bytes_done = models.PositiveBigIntegerField(_("bytes done"), default=0)
    current_file = models.CharField(_("current file"), max_length=255, blank=True)

    created_at = models.DateTimeField(_("asked"), default=timezone.now)
    planned_at = models.DateTimeField(_("planned"), null=True)
    entered_at = models.DateTimeField(_("session moved"), null=True)

    objects: ClassVar["JobManager"] = JobQuerySet.as_manager()

    class Meta:
        verbose_name = _("job")
        verbose_name_plural = _("jobs")
        ordering = ["-created_at", "-pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["session"],
                condition=_ACTIVE & Q(kind__in=[str(k) for k in MOVING_KINDS]),
                name="one_active_job_a_session",
            ),
            models.UniqueConstraint(
                fields=["session"],
                condition=_VERIFYING & Q(destination=None),
                name="one_active_verify_a_session",
            ),
            models.UniqueConstraint(
                fields=["session", "destination"],
                condition=_VERIFYING,
                name="one_active_verify_a_place",
            ),
        ]
        indexes = [
            models.Index(fields=["state", "next_run_at"], name="job_due"),
            models.Index(fields=["state", "lease_until"], name="job_lease"),
            models.Index(fields=["-created_at", "-id"], name="job_created"),
            models.Index(
                fields=["order", "state"],
                condition=Q(order__isnull=False),
                name="job_of_order",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} {self.uuid}"

    @property
    def was_started(self) -> bool:
        """Whether an attempt has moved the session into its moving state."""
        return self.entered_at is not None

    @property
    def percent(self) -> int:
        """Progress from 0 to 100, by bytes, or by files where there are no bytes."""
        if self.state == JobState.SUCCEEDED:
            return 100
        done, total = self.bytes_done, self.bytes_total
        if not total:
            done, total = self.files_done, self.files_total
        return min(100, done * 100 // total) if total else 0

    def note_started(self) -> None:
        """Write that the session has moved; in the claim's transaction."""
        self.entered_at = timezone.now()
        self.save(update_fields=["entered_at"])

    def note_plan(self, totals: tuple[int, int]) -> None:
        """Write the frozen plan's files and bytes; under the lease's fence."""
        self.planned_at = timezone.now()
        self.files_total, self.bytes_total = totals
        self.save(update_fields=["planned_at", "files_total", "bytes_total"])


class JobItem(NotesError):
    """One file of a job's frozen plan and what became of it.

    ``target_key`` is a storage key, a path below the destination, or for a removal
    "permanent" where the file was in permanent storage.
    """

    job = models.ForeignKey(Job, related_name="item_set", on_delete=models.CASCADE)
    file_uuid = models.UUIDField(_("file"))
    name = models.CharField(_("name"), max_length=255)
    source_key = models.CharField(max_length=255, blank=True)
    target_key = models.TextField(_("target"), blank=True)
    size_bytes = models.PositiveBigIntegerField(_("size"), default=0)
    sha256 = models.CharField(_("SHA-256"), max_length=64, blank=True)
    outcome = models.CharField(
        _("outcome"),
        max_length=16,
        choices=ItemOutcome.choices,
        default=ItemOutcome.PENDING,
    )

    class Meta:
        verbose_name = _("job item")
        verbose_name_plural = _("job items")
        ordering = ["pk"]
        indexes = [models.Index(fields=["job", "outcome", "id"], name="item_outcome")]

    def __str__(self) -> str:
        return self.name
