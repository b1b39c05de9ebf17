"""Links from one admin page to another."""

from uuid import UUID

from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString


def session_link(session_id: int | None, session_uuid: UUID) -> SafeString:
    """Return a link to the session; its uuid alone where the row is gone."""
    short = str(session_uuid)[:8]
    if session_id is None:
        return format_html('<span title="{}">{}</span>', session_uuid, short)
    url = reverse("admin:upload_uploadsession_change", args=[session_id])
    return page_link(url, short, title=str(session_uuid))


def page_link(url: str, text: str, title: str = "") -> SafeString:
    return format_html(
        '<a class="mu-link" href="{}" title="{}">{}</a>', url, title, text
    )
