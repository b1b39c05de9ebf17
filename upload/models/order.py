"""Bulk orders: one verb for many sessions. Thin: ``orders`` decides."""

from typing import TYPE_CHECKING, ClassVar

from django.conf import settings
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from upload.models.destination import Destination
from upload.models.leased import Leased
from upload.models.session import UploadSession
from upload.querysets import OrderQuerySet
from upload.states import (
    Obstacle,
    OrderOutcome,
    OrderState,
    OrderVerb,
    SessionStatus,
)
from upload.wording import shown

if TYPE_CHECKING:
    from django.db.models.manager import Manager

    OrderManager = Manager["BulkOrder"]


class BulkOrder(Leased):
    """One verb for many sessions, done in the background session by session.

    ::

        DRAFT ─▶ QUEUED ◀──▶ RUNNING ─▶ SUCCEEDED | FAILED | CANCELLED

    A draft is what a preview shows: its sessions are chosen, and it is deleted if
    nobody confirms it.
    """

    verb = models.CharField(_("action"), max_length=16, choices=OrderVerb.choices)
    state = models.CharField(
        _("state"), max_length=16, choices=OrderState.choices, default=OrderState.DRAFT
    )
    requester = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        verbose_name=_("asked by"),
        null=True,
        related_name="bulk_orders",
        on_delete=models.SET_NULL,
    )
    requester_name = models.CharField(_("asked by"), max_length=150, blank=True)
    destination = models.ForeignKey(
        Destination,
        verbose_name=_("destination"),
        null=True,
        blank=True,
        on_delete=models.PROTECT,
    )
    reason = models.TextField(_("reason"), blank=True)
    # The query string of the list that the sessions were chosen from.
    selection = models.TextField(_("chosen from"), blank=True)
    sessions_total = models.PositiveIntegerField(_("sessions"), default=0)

    created_at = models.DateTimeField(_("drafted"), default=timezone.now)
    confirmed_at = models.DateTimeField(_("asked"), null=True)

    objects: ClassVar["OrderManager"] = OrderQuerySet.as_manager()

    class Meta:
        verbose_name = _("bulk order")
        verbose_name_plural = _("bulk orders")
        ordering = ["-created_at", "-pk"]
        indexes = [
            models.Index(fields=["state", "next_run_at"], name="order_due"),
            models.Index(fields=["state", "lease_until"], name="order_lease"),
            models.Index(fields=["-created_at", "-id"], name="order_created"),
        ]

    def __str__(self) -> str:
        return f"{self.get_verb_display()} {self.uuid}"

    @property
    def is_draft(self) -> bool:
        return self.state == OrderState.DRAFT


class BulkItem(models.Model):
    """One session of a bulk order: what it was when chosen, and what became of it.

    Neither key is a constraint of the database: a hundred thousand rows are inserted
    while a person waits, and a session's row may go while its outcome stays.
    ``job_uuid`` names the job that was queued, or decided on.
    """

    order = models.ForeignKey(
        BulkOrder,
        related_name="item_set",
        on_delete=models.CASCADE,
        db_constraint=False,
        db_index=False,  # the index below begins with it
    )
    session = models.ForeignKey(
        UploadSession,
        verbose_name=_("session"),
        null=True,
        related_name="+",
        on_delete=models.DO_NOTHING,
        db_constraint=False,
        db_index=False,
    )
    session_uuid = models.UUIDField(_("session UUID"))
    session_status = models.CharField(
        _("status when chosen"), max_length=2, choices=SessionStatus.choices
    )
    files = models.PositiveIntegerField(_("files"), default=0)
    size_bytes = models.PositiveBigIntegerField(_("size"), default=0)
    obstacle = models.CharField(max_length=16, blank=True, choices=Obstacle.choices)
    outcome = models.CharField(
        _("outcome"),
        max_length=16,
        choices=OrderOutcome.choices,
        default=OrderOutcome.PENDING,
    )
    reason = models.TextField(_("reason"), blank=True)
    # As in upload.wording; NULL: the text is another's, or older than this column.
    reason_told = models.JSONField(null=True, editable=False)
    job_uuid = models.UUIDField(_("job UUID"), null=True)

    class Meta:
        verbose_name = _("session of a bulk order")
        verbose_name_plural = _("sessions of a bulk order")
        ordering = ["pk"]
        indexes = [models.Index(fields=["order", "outcome", "id"], name="order_item")]

    def __str__(self) -> str:
        return f"{self.session_uuid}"

    @property
    def reason_shown(self) -> str:
        """The reason in the language of whoever reads it now."""
        return shown(self.reason, self.reason_told)
