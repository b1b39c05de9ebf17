"""Remind owners by e-mail that a session of theirs expires soon, once a silence.

A reminder is claimed by compare-and-set before it is sent, so that two runs at once
send one. Where sending fails the claim is given back and the next run tries again.
Activity in the session makes room for a later reminder. Without a mail server nothing
is sent: the pages tell it anyway.
"""

import logging
from collections.abc import Callable
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.core.mail import send_mail
from django.db import transaction
from django.db.models import F, Q
from django.urls import reverse
from django.utils import timezone, translation
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from upload import conf, events, expiry
from upload.events import Cause

logger = logging.getLogger(__name__)

type Tell = Callable[[Any, Exception | None], None]


def due(sessions: Any) -> Any:
    """Return sessions to remind of: open, soon over, somebody's, not reminded yet."""
    minutes = conf.expiring_reminder_minutes()
    if minutes is None or not conf.email_host():
        return sessions.none()
    soon = sessions.expiring_before(timezone.now() + timedelta(minutes=minutes))
    waiting = soon.exclude(pk__in=soon.past_expiry()).filter(submission__isnull=True)
    not_yet = Q(reminded_at=None) | Q(reminded_at__lt=F("last_upload_interaction_time"))
    return waiting.filter(not_yet, user__is_active=True).exclude(user__email="")


def remind_due(sessions: Any, tell: Tell | None = None) -> tuple[int, int]:
    """Send what is due; return (sent, failed). One failure stops no other."""
    return expiry.each(
        expiry.lazily(due(sessions).select_related("user")), remind, tell
    )


def remind(session: Any) -> None:
    """Claim and send one reminder; nothing where another run was first."""
    before, now = session.reminded_at, timezone.now()
    rows = type(session).objects.filter(pk=session.pk, reminded_at=before)
    if not rows.update(reminded_at=now):
        return
    try:
        _send(session)
    except Exception:
        type(session).objects.filter(pk=session.pk, reminded_at=now).update(
            reminded_at=before
        )
        raise
    with transaction.atomic():
        events.record(session, "reminded", "notification", Cause())


def _send(session: Any) -> None:
    language = getattr(session.user, "language", "") or settings.LANGUAGE_CODE
    with translation.override(language):
        send_mail(
            _("Your upload session expires soon"),
            _letter(session),
            None,
            [session.user.email],
        )


def _letter(session: Any) -> str:
    expires = timezone.localtime(session.expires_at)
    page = reverse("upload:own_session", args=[session.uuid])
    return _(
        "Hello %(name)s,\n\n"
        "your upload session %(session)s holds %(files)d files and expires on "
        "%(expires)s. Its files are deleted then, unless you add files to it or submit "
        "it before:\n\n%(address)s\n"
    ) % {
        "name": session.user.get_username(),
        "session": session.uuid,
        "files": session.total_files,
        "expires": f"{date_format(expires, 'DATETIME_FORMAT')} {expires:%Z}",
        "address": f"{conf.portal_url()}{page}",
    }
