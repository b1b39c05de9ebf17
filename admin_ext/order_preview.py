"""The preview of a bulk order that is not confirmed yet, and its confirmation.

GET shows the draft, however often; nothing is done but by a POST with the confirm
button. What is counted comes from the frozen plan, and a few sessions stand for many.
"""

from dataclasses import dataclass, field
from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.html import format_html
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from admin_ext import actions, previews
from admin_ext.previews import Group
from admin_ext.verbs import BULK_VERBS, BulkVerb
from upload import conf, order_plan, orders
from upload.errors import MunimentError, NotPermitted
from upload.models import BulkOrder, Job, UploadSession
from upload.orders import Wish
from upload.states import JobKind, Obstacle, OrderVerb, SessionStatus, Verb

SHOWN = 20


@dataclass(slots=True)
class OrderPreview:
    """As ``previews.Preview``, of which the page reads the same names."""

    ready: list[UploadSession] = field(default_factory=list)
    ready_count: int = 0
    skipped_count: int = 0
    files: int = 0
    size_bytes: int = 0
    groups: list[Group] = field(default_factory=list)
    missing: int = 0
    chosen: tuple[UploadSession, ...] = ()

    @property
    def ready_more(self) -> int:
        return self.ready_count - len(self.ready)


def seen(order: BulkOrder) -> OrderPreview:
    """Return what the draft would do; some queries for each reason to skip."""
    found = OrderPreview()
    for share in order_plan.shares(order):
        if share.obstacle == Obstacle.NONE:
            found.ready_count += share.sessions
            found.files += share.files
            found.size_bytes += share.size_bytes
        else:
            found.skipped_count += share.sessions
            _add(found, order, share)
    found.ready = _some(order, obstacle=Obstacle.NONE)
    return found


def _add(found: OrderPreview, order: BulkOrder, share: order_plan.Share) -> None:
    reason = order_plan.sentence(order.verb, share.obstacle, share.session_status)
    like = {"obstacle": share.obstacle, "session_status": share.session_status}
    some = _some(order, **like)
    for group in found.groups:
        if group.reason == reason:
            group.more += share.sessions
            return
    found.groups.append(Group(reason, some, share.sessions - len(some)))


def _some(order: BulkOrder, **like: Any) -> list[UploadSession]:
    items = order.item_set.filter(**like).order_by("pk")
    keys = list(items.values_list("session", flat=True)[:SHOWN])
    rows = UploadSession.objects.filter(pk__in=keys).titled().select_related("user")
    return list(rows.order_by("pk"))


def view(request: HttpRequest, order: BulkOrder) -> HttpResponse:
    """Show the draft; let it run where the request confirms by POST."""
    row = BULK_VERBS.get(order.verb)  # type: ignore[call-overload]
    if row is None:
        raise Http404
    if not orders.has_right(request.user, order.verb):
        raise PermissionDenied
    confirmed = request.method == "POST" and actions.CONFIRM in request.POST
    form = row.form(request.POST if confirmed else None)
    if confirmed and form.is_valid() and confirm(request, order, form.cleaned_data):
        return redirect(list_url(order))
    found = seen(order)
    more = {
        "form": form,
        "back_url": list_url(order),
        "dry_run": None,
        "notes": notes(order, found, row),
        "try": "",
    }
    return actions.page(request, row, found, more)


def confirm(request: HttpRequest, order: BulkOrder, data: dict[str, Any]) -> bool:
    """Let the order run and tell where it can be watched; False where it may not."""
    wish = Wish(data.get("reason", ""), data.get("destination"))
    try:
        orders.confirm(order, request.user, wish)
    except NotPermitted as error:
        raise PermissionDenied from error
    except MunimentError as error:
        messages.error(request, str(error))
        return False
    tell_queued(request, order)
    return True


def tell_queued(request: HttpRequest, order: BulkOrder) -> None:
    """Say that the order runs in the background, with a link to its page."""
    text = ngettext(
        "“%(verb)s” for %(count)d session runs in the background.",
        "“%(verb)s” for %(count)d sessions runs in the background.",
        order.sessions_total,
    ) % {"verb": order.get_verb_display(), "count": order.sessions_total}
    messages.success(
        request,
        format_html(
            '{} <a class="mu-link" href="{}">{}</a>',
            text,
            page_url(order),
            _("See what becomes of each session"),
        ),
    )


def page_url(order: BulkOrder) -> str:
    return reverse("admin:upload_bulkorder_change", args=[order.pk])


def preview_url(order: BulkOrder) -> str:
    return reverse("admin:upload_bulkorder_preview", args=[order.pk])


def list_url(order: BulkOrder) -> str:
    """Return the list that the sessions were chosen from."""
    listed = reverse("admin:upload_uploadsession_changelist")
    return f"{listed}?{order.selection}" if order.selection else listed


def notes(order: BulkOrder, found: OrderPreview, row: BulkVerb) -> list[str]:
    """Return what else a person should know before confirming."""
    told = [
        _(
            "This runs in the background. You can watch it, see what became of each "
            "session, and stop it before its end."
        )
    ]
    ready = order.item_set.filter(obstacle=Obstacle.NONE)
    if row.verb == Verb.HOLD:
        keys = ready.values("session")
        removals = Job.objects.active().filter(kind=JobKind.REMOVE, session__in=keys)
        told += previews.stopped_removals(removals.count())
    if order.verb == OrderVerb.REMOVE and conf.removal_needs_approval():
        stored = ready.exclude(session_status=SessionStatus.UPLOADING)
        told += previews.approval_notes(stored.count())
    return told
