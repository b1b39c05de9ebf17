"""The removals that wait for a second person: one list, many decided at once.

Nothing changes but by a POST, and then for each removal on its own: done, or skipped
with its reason; all of many pages are decided by a bulk order. The requester's own are
shown and cannot be chosen.
"""

from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.db.models import Prefetch, prefetch_related_objects
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from admin_ext import inlines, order_preview
from upload import conf, jobs, legal_hold, orders
from upload.errors import IllegalTransition, MunimentError, NotPermitted
from upload.models import Job, UploadSession
from upload.orders import Wish
from upload.states import JobState, OrderVerb

APPROVE, DECLINE, ALL = "approve", "decline", "all"
PER_PAGE = 50
MAX_NAMED = 10


def view(request: HttpRequest) -> HttpResponse:
    """Show what waits by GET; approve or refuse what was chosen by POST."""
    if not request.user.has_perm("upload.view_job"):
        raise PermissionDenied
    if request.method == "POST":
        if not _may_decide(request):
            raise PermissionDenied
        _decide(request)
        return redirect(reverse("admin:upload_job_approvals"))
    return TemplateResponse(request, "admin_ext/approvals.html", _context(request))


def _may_decide(request: HttpRequest) -> bool:
    return bool(request.user.has_perm("upload.approve_removal_uploadsession"))


def _waiting(request: HttpRequest) -> Any:
    rows = Job.objects.filter(state=JobState.AWAITING_APPROVAL)
    if not request.user.has_perm("upload.view_uploadsession"):
        rows = rows.none()
    return rows.select_related("requester").order_by("pk")


def _context(request: HttpRequest) -> dict[str, Any]:
    page = inlines.page_of(request, _waiting(request), "page", PER_PAGE)
    titled = UploadSession.objects.titled().select_related("user")
    prefetch_related_objects(page.rows, Prefetch("session", titled))
    for job in page.rows:
        job.may_decide = jobs.may_approve(job, request.user)
        job.obstacle = _obstacle(job)
    return {
        **admin.site.each_context(request),
        "title": _("Removals to approve"),
        "opts": Job._meta,
        "page": page,
        "may_decide": any(job.may_decide for job in page.rows),
        "needed": conf.removal_needs_approval(),
    }


def _obstacle(job: Job) -> str:
    session = job.session
    if session is not None and session.hold_count:
        return legal_hold.sentences(session)
    return ""


def _decide(request: HttpRequest) -> None:
    """Do what was asked to each chosen removal and tell what came of it."""
    ids = {
        int(t)
        for t in request.POST.getlist("job")
        if t.isascii() and t.isdigit() and len(t) < 19
    }
    approves = APPROVE in request.POST
    reason = request.POST.get("reason", "")[:2000]
    if not approves and not reason.strip():
        messages.error(request, _("Write why you refuse: it is kept for good."))
        return
    if request.POST.get(ALL):
        _decide_all(request, reason, approves=approves)
        return
    done, skipped = 0, []
    for job in _waiting(request).filter(pk__in=ids):
        try:
            _decide_one(job, request.user, reason, approves=approves)
            done += 1
        except (IllegalTransition, NotPermitted, MunimentError) as error:
            skipped.append(str(error))
    _tell(request, done, skipped, len(ids), approves=approves)


def _decide_all(request: HttpRequest, reason: str, *, approves: bool) -> None:
    """Decide in the background on every removal that waits, on whichever page."""
    verb = OrderVerb.APPROVE if approves else OrderVerb.DECLINE
    others = _waiting(request).exclude(requester=request.user.pk)
    sessions = UploadSession.objects.filter(pk__in=others.values("session"))
    with transaction.atomic():
        order = orders.draft(verb, sessions, request.user)
        orders.confirm(order, request.user, Wish(reason))
    order_preview.tell_queued(request, order)


def _decide_one(job: Job, actor: Any, reason: str, *, approves: bool) -> None:
    if approves:
        jobs.approve(job, actor, reason)
    else:
        jobs.decline(job, actor, reason)


def _tell(
    request: HttpRequest,
    done: int,
    skipped: list[str],
    chosen: int,
    *,
    approves: bool,
) -> None:
    if done:
        text = (
            ngettext(
                "%(count)d removal was approved and queued.",
                "%(count)d removals were approved and queued.",
                done,
            )
            if approves
            else ngettext(
                "%(count)d removal was refused; the session keeps its files.",
                "%(count)d removals were refused; the sessions keep their files.",
                done,
            )
        )
        messages.success(request, text % {"count": done})
    for text in skipped[:MAX_NAMED]:
        messages.warning(request, text)
    gone = chosen - done - len(skipped)
    if gone:
        messages.warning(
            request,
            ngettext(
                "%(count)d removal does not wait any more.",
                "%(count)d removals do not wait any more.",
                gone,
            )
            % {"count": gone},
        )
    if not chosen:
        messages.warning(request, _("Choose at least one removal."))
