"""Columns of the session list, and the badges that other pages share.

Each is a named function of one row. None asks the database or a storage: the list
fetches owners and active jobs beforehand.
"""

from datetime import datetime
from functools import lru_cache

from django.contrib import admin
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.timesince import timesince, timeuntil
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext_lazy
from unfold.widgets import UnfoldBooleanWidget

from admin_ext import job_texts
from admin_ext.visible import visible
from upload import quantities
from upload.models import BulkOrder, Job, UploadSession
from upload.states import JobState, OrderState, SessionStatus

# Kinds of Unfold's label: info, primary, success, warning, danger; empty is grey.
STATUS_KINDS: dict[str, str] = {
    SessionStatus.CREATED: "",
    SessionStatus.EXPIRED: "",
    SessionStatus.UPLOADING: "info",
    SessionStatus.COPYING_IN_PROGRESS: "primary",
    SessionStatus.STORED: "success",
    SessionStatus.COPYING_FAILED: "danger",
    SessionStatus.REMOVING_IN_PROGRESS: "warning",
}
JOB_KINDS: dict[str, str] = {
    JobState.AWAITING_APPROVAL: "warning",
    JobState.QUEUED: "info",
    JobState.RUNNING: "primary",
    JobState.SUCCEEDED: "success",
    JobState.FAILED: "danger",
    JobState.CANCELLED: "",
}
ORDER_KINDS: dict[str, str] = {
    OrderState.DRAFT: "",
    OrderState.QUEUED: "info",
    OrderState.RUNNING: "primary",
    OrderState.SUCCEEDED: "success",
    OrderState.FAILED: "danger",
    OrderState.CANCELLED: "",
}
SELECTOR_CLASSES = UnfoldBooleanWidget({"class": "action-select"}).attrs["class"]
EXPIRY_CLASSES = {
    "expired": "font-semibold text-red-700 dark:text-red-400",
    "soon": "font-semibold text-orange-700 dark:text-orange-400",
    "later": "",
    "never": "text-subtle",
}


@lru_cache(maxsize=256)
def badge(text: str, kind: str) -> SafeString:
    """Return Unfold's label with ``text`` escaped."""
    context = {"text": text, "type": kind}
    return SafeString(render_to_string("unfold/helpers/label.html", context))


def status_badge(session: UploadSession) -> SafeString:
    label = str(SessionStatus(session.status).label)
    return badge(label, STATUS_KINDS[session.status])


def job_badge(job: Job) -> SafeString:
    return badge(str(JobState(job.state).label), JOB_KINDS[job.state])


def order_badge(order: BulkOrder) -> SafeString:
    return badge(str(OrderState(order.state).label), ORDER_KINDS[order.state])


def selector(session: UploadSession) -> SafeString:
    """Return Unfold's checkbox of a row, which says what it selects."""
    return format_html(
        '<input type="checkbox" name="{}" value="{}" class="{}" aria-label="{}">',
        ACTION_CHECKBOX_NAME,
        session.pk,
        SELECTOR_CLASSES,
        _("Select session %(session)s") % {"session": str(session.uuid)[:8]},
    )


@admin.display(description=gettext_lazy("Session"), ordering="uuid")
def short_uuid(session: UploadSession) -> SafeString:
    return format_html(
        '<span class="whitespace-nowrap" title="{}">{}</span>',
        session.uuid,
        str(session.uuid)[:8],
    )


@admin.display(description=gettext_lazy("Title"))
def title(session: UploadSession) -> SafeString:
    """Return what its people call the session, from ``UploadSessionQuerySet.titled``.

    Sorts nothing: no index has sessions by their title.
    """
    if found := getattr(session, "title", None):
        return format_html('<bdi class="mu-title">{}</bdi>', visible(found))
    return format_html('<span class="mu-minor">{}</span>', _("untitled"))


@admin.display(description=gettext_lazy("Status"), ordering="status")
def status(session: UploadSession) -> SafeString:
    return status_badges(session)


def status_badges(session: UploadSession) -> SafeString:
    """Return the status, and beside it that the session is on hold."""
    if not session.hold_count:
        return status_badge(session)
    held = badge(_("On hold"), "warning")
    shown = format_html("{} {}", status_badge(session), held)
    return format_html('<span class="mu-badges">{}</span>', shown)


@admin.display(
    description=gettext_lazy("Owner"), ordering="user__username", empty_value="-"
)
def owner(session: UploadSession) -> str | None:
    return session.user.get_username() if session.user else None


@admin.display(description=gettext_lazy("Started"), ordering="started_at")
def started(session: UploadSession) -> SafeString:
    return moment(session.started_at)


@admin.display(
    description=gettext_lazy("Last interaction"),
    ordering="last_upload_interaction_time",
)
def last_interaction(session: UploadSession) -> SafeString:
    return moment(session.last_upload_interaction_time)


def moment(at: datetime) -> SafeString:
    """Return the local time on one line."""
    local = timezone.localtime(at)
    text = date_format(local, "SHORT_DATETIME_FORMAT")
    return format_html(
        '<time class="whitespace-nowrap" datetime="{}">{}</time>',
        local.isoformat(timespec="seconds"),
        text,
    )


@admin.display(description=gettext_lazy("Files"), ordering="total_files")
def files(session: UploadSession) -> int:
    return session.total_files


@admin.display(description=gettext_lazy("Size"), ordering="total_size_bytes")
def size(session: UploadSession) -> SafeString:
    return format_html(
        '<span class="whitespace-nowrap">{}</span>',
        quantities.size_text(session.total_size_bytes),
    )


@admin.display(
    description=pgettext_lazy("when a session expires", "Expires"),
    ordering="expires_on",
)
def expiry(session: UploadSession) -> SafeString:
    kind, text = expiry_words(session)
    at = session.expires_at
    return format_html(
        '<span class="whitespace-nowrap {}" data-expiry="{}" title="{}">{}</span>',
        EXPIRY_CLASSES[kind],
        kind,
        date_format(timezone.localtime(at), "DATETIME_FORMAT") if at else "",
        text,
    )


def expiry_words(session: UploadSession) -> tuple[str, str]:
    """Return ``(kind, text)``, for example ``("soon", "in 3 hours")``.

    Kinds are those of ``EXPIRY_CLASSES``. A session that was expired by hand has its
    own time still before it, so only its state is told.
    """
    at, now = session.expires_at, timezone.now()
    if session.hold_count:
        return "never", _("not while on hold")
    if session.is_expired:
        if at is None or at > now:
            return "expired", _("expired")
        ago = timesince(at, now, depth=1)
        return "expired", _("expired %(time)s ago") % {"time": ago}
    if at is None:
        return "never", _("never")
    ahead = timeuntil(at, now, depth=1)
    kind = "soon" if session.expires_soon else "later"
    return kind, _("in %(time)s") % {"time": ahead}


@admin.display(description=gettext_lazy("Job"), empty_value="")
def progress(session: UploadSession) -> SafeString | None:
    """Show the active job, from the prefetched list ``active_jobs``."""
    active: list[Job] = getattr(session, "active_jobs", [])
    return progress_bar(active[0]) if active else None


def progress_bar(job: Job) -> SafeString:
    """Return the job's bar; a script on the page keeps it current by its URL."""
    context = {"job": job, "url": progress_url(job), "summary": job_texts.summary(job)}
    return SafeString(render_to_string("admin_ext/progress_bar.html", context))


def progress_url(job: Job) -> str:
    """Return where the bar's figures come from; empty where they change no more."""
    if job.has_ended:
        return ""
    return reverse("admin:upload_job_progress", args=[job.pk])
