"""The audit trail: append-only events."""

from typing import Any, ClassVar

from django.conf import settings
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from upload.models.job import Job
from upload.models.session import UploadSession
from upload.states import Outcome


class AppendOnly(models.QuerySet[Any]):
    """Refuses to change or delete rows."""

    def update(self, **kwargs: Any) -> int:
        raise TypeError("Session events are append-only: they are never updated.")

    def delete(self) -> tuple[int, dict[str, int]]:
        raise TypeError("Session events are append-only: they are never deleted.")


class SessionEvent(models.Model):
    """One thing that happened to a session: who, what, when (UTC), outcome, why.

    ``session`` becomes NULL when an expired session's row is deleted; ``session_uuid``
    and ``actor_name`` stay. ``premis_type`` is a term of the PREMIS event types.
    """

    session = models.ForeignKey(
        UploadSession,
        verbose_name=_("session"),
        null=True,
        related_name="event_set",
        on_delete=models.SET_NULL,
    )
    session_uuid = models.UUIDField(_("session UUID"), db_index=True)
    code = models.CharField(_("event"), max_length=64)
    premis_type = models.CharField(_("PREMIS type"), max_length=64)
    outcome = models.CharField(
        _("outcome"), max_length=8, choices=Outcome.choices, default=Outcome.SUCCESS
    )
    actor = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        verbose_name=_("person"),
        null=True,
        related_name="+",
        on_delete=models.SET_NULL,
    )
    actor_name = models.CharField(_("who"), max_length=150, blank=True)
    job = models.ForeignKey(
        Job,
        verbose_name=_("job"),
        null=True,
        related_name="event_set",
        on_delete=models.SET_NULL,
    )
    attempt = models.PositiveSmallIntegerField(_("attempt"), default=0)
    reason = models.TextField(_("reason"), blank=True)
    detail = models.JSONField(_("detail"), default=dict, blank=True)
    created_at = models.DateTimeField(_("when"), default=timezone.now)

    # What a page calls the event, in its reader's language; never saved.
    shown_as = ""

    objects: ClassVar[Any] = AppendOnly.as_manager()

    class Meta:
        verbose_name = _("event")
        verbose_name_plural = _("events")
        ordering = ["-created_at", "-pk"]
        permissions = [("export_sessionevent", "Can export events")]
        indexes = [models.Index(fields=["session", "-id"], name="event_of_session")]

    def __str__(self) -> str:
        return self.shown_as or f"{self.code} {self.created_at:%Y-%m-%d %H:%M:%S}"

    def save(self, *args: Any, **kwargs: Any) -> None:
        if not self._state.adding:
            raise TypeError("Session events are append-only: they are never changed.")
        super().save(*args, **kwargs)

    def delete(self, *args: Any, **kwargs: Any) -> tuple[int, dict[str, int]]:
        raise TypeError("Session events are append-only: they are never deleted.")
