"""Legal holds. Thin: ``holding`` places and lifts, ``legal_hold`` says what is kept."""

from typing import Any, ClassVar

from django.conf import settings
from django.db import models
from django.db.models import F, ProtectedError, Q
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from upload.models.base import PublicUuid
from upload.models.session import UploadSession
from upload.models.submission import Submission


class LegalHoldQuerySet(models.QuerySet[Any]):
    """Questions asked of holds; a hold is never deleted."""

    def active(self) -> "LegalHoldQuerySet":
        return self.filter(lifted_at=None)

    def on_session(self, session: Any) -> "LegalHoldQuerySet":
        """Return the holds on the session itself and on its submissions."""
        return self.filter(Q(session=session) | Q(submission__upload_session=session))

    def delete(self) -> tuple[int, dict[str, int]]:
        raise TypeError("A legal hold is never deleted: lift it.")


def keep_while_held(collector: Any, field: Any, holds: Any, using: str) -> None:
    """Protect what an active hold is on; of a lifted one only the uuid stays."""
    held = [hold for hold in holds if hold.lifted_at is None]
    if held:
        text = _(
            "It is under legal hold, so it cannot be deleted. Lift the hold first."
        )
        raise ProtectedError(text, set(held))
    models.SET_NULL(collector, field, holds, using)


class LegalHold(PublicUuid):
    """One reason why a session or a submission must stay as it is.

    On exactly one of ``session`` and ``submission``; ``subject_uuid`` names it also
    when its row is gone. ``lifted_at`` NULL means that the hold is active.
    """

    session = models.ForeignKey(
        UploadSession,
        verbose_name=gettext_lazy("session"),
        null=True,
        blank=True,
        related_name="hold_set",
        on_delete=keep_while_held,
    )
    submission = models.ForeignKey(
        Submission,
        verbose_name=gettext_lazy("submission"),
        null=True,
        blank=True,
        related_name="hold_set",
        on_delete=keep_while_held,
    )
    subject_uuid = models.UUIDField(gettext_lazy("UUID held"), db_index=True)
    submission_title = models.CharField(
        gettext_lazy("title"), max_length=400, blank=True
    )
    reason = models.TextField(gettext_lazy("reason"))
    placed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        verbose_name=gettext_lazy("placed by"),
        null=True,
        related_name="+",
        on_delete=models.SET_NULL,
    )
    placed_by_name = models.CharField(
        gettext_lazy("placed by"), max_length=150, blank=True
    )
    placed_at = models.DateTimeField(gettext_lazy("placed"), default=timezone.now)
    lifted_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        verbose_name=gettext_lazy("lifted by"),
        null=True,
        related_name="+",
        on_delete=models.SET_NULL,
    )
    lifted_by_name = models.CharField(
        gettext_lazy("lifted by"), max_length=150, blank=True
    )
    lifted_at = models.DateTimeField(gettext_lazy("lifted"), null=True)
    lift_reason = models.TextField(gettext_lazy("why it was lifted"), blank=True)

    objects: ClassVar[Any] = LegalHoldQuerySet.as_manager()

    class Meta:
        verbose_name = gettext_lazy("legal hold")
        verbose_name_plural = gettext_lazy("legal holds")
        ordering = [F("lifted_at").asc(nulls_first=True), "-placed_at", "-pk"]
        # Placing and lifting have rights of their own, those of the session's verbs.
        default_permissions = ("view",)
        indexes = [
            models.Index(
                fields=["session"],
                condition=Q(lifted_at__isnull=True),
                name="hold_active",
            ),
        ]

    def __str__(self) -> str:
        return str(self.uuid)

    def delete(self, *args: Any, **kwargs: Any) -> tuple[int, dict[str, int]]:
        raise TypeError("A legal hold is never deleted: lift it.")
