"""Legal holds: their list, and placing and lifting them from what they keep.

Sessions are held by the verbs of ``verbs``; here are a submission's hold and the
lifting of one hold of several. Both are POSTs that call ``upload.holding``.
"""

from collections.abc import Callable
from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import Q, QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import URLPattern, path, reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from admin_ext import columns
from admin_ext.links import page_link, session_link
from admin_ext.read_only import ReadOnlyAdmin
from admin_ext.visible import visible
from upload import holding
from upload.errors import MunimentError, NotPermitted
from upload.models import LegalHold, Submission, UploadSession


@admin.register(LegalHold)
class LegalHoldAdmin(ReadOnlyAdmin):
    list_display = ("subject", "state", "who", "since", "shown_reason")
    list_display_links = ("since",)  # the first column leads to what is held
    list_filter = (("lifted_at", admin.EmptyFieldListFilter), "placed_at")
    list_select_related = ("session", "submission")
    search_fields = ("placed_by_name", "reason", "submission_title")
    list_per_page = 50
    fields = (
        "subject",
        "state",
        "who",
        "since",
        "shown_reason",
        "lifted_by_name",
        "lifted_at",
        "shown_lift_reason",
        "uuid",
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[LegalHold]:
        holds: QuerySet[LegalHold] = super().get_queryset(request)
        if request.user.has_perm("upload.view_uploadsession"):
            return holds
        mine = UploadSession.objects.visible_to(request.user)
        return holds.filter(
            Q(session__in=mine) | Q(submission__upload_session__in=mine)
        )

    @admin.display(description=gettext_lazy("Held"))
    def subject(self, hold: LegalHold) -> str:
        if hold.submission:
            url = reverse("admin:upload_submission_change", args=[hold.submission.pk])
            return page_link(url, visible(hold.submission_title))
        return session_link(hold.session_id, hold.subject_uuid)

    @admin.display(description=gettext_lazy("State"))
    def state(self, hold: LegalHold) -> str:
        if hold.lifted_at:
            return columns.badge(_("Lifted"), "")
        return columns.badge(_("Active"), "warning")

    @admin.display(description=gettext_lazy("Placed by"), empty_value="-")
    def who(self, hold: LegalHold) -> str:
        return hold.placed_by_name

    @admin.display(description=gettext_lazy("Since"), ordering="placed_at")
    def since(self, hold: LegalHold) -> str:
        return columns.moment(hold.placed_at)

    @admin.display(description=gettext_lazy("Reason"))
    def shown_reason(self, hold: LegalHold) -> str:
        return visible(hold.reason)

    @admin.display(description=gettext_lazy("Why it was lifted"), empty_value="-")
    def shown_lift_reason(self, hold: LegalHold) -> str:
        return visible(hold.lift_reason)

    def get_urls(self) -> list[URLPattern]:
        wrap = self.admin_site.admin_view
        return [
            path("<int:pk>/lift/", wrap(self.lift_view), name="upload_legalhold_lift"),
            path(
                "submission/<int:pk>/",
                wrap(self.place_view),
                name="upload_legalhold_submission",
            ),
            *super().get_urls(),
        ]

    def lift_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        hold = LegalHold.objects.filter(pk=pk).first()
        reason = request.POST.get("reason", "")[:2000]
        return _posted(
            request,
            hold,
            lambda: holding.lift(hold, request.user, reason),
            _("The hold was lifted."),
        )

    def place_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        submission = Submission.objects.filter(pk=pk).first()
        reason = request.POST.get("reason", "")[:2000]
        return _posted(
            request,
            submission,
            lambda: holding.place_on_submission(submission, request.user, reason),
            _("The submission is on hold."),
        )


def _posted(
    request: HttpRequest, row: Any, deed: Callable[[], Any], told: str
) -> HttpResponse:
    """Do it by POST, tell what came of it, and go back to the page it was asked on."""
    if request.method != "POST":
        return HttpResponse(status=405, headers={"Allow": "POST"})
    if row is None:
        raise Http404
    try:
        deed()
    except NotPermitted as error:
        raise PermissionDenied from error
    except (MunimentError, ValueError) as error:
        messages.error(request, str(error))
    else:
        messages.success(request, told)
    return redirect(_back(request, row))


def _back(request: HttpRequest, row: Any) -> str:
    url = request.POST.get("next", "")
    if url_has_allowed_host_and_scheme(url, allowed_hosts={request.get_host()}):
        return url
    return reverse(f"admin:upload_{row._meta.model_name}_change", args=[row.pk])


def of_session(request: HttpRequest, session: UploadSession) -> dict[str, Any]:
    """Return what the session page shows of its holds."""
    holds = LegalHold.objects.on_session(session).select_related("submission")
    return _context(request, list(holds[:50]))


def of_submission(request: HttpRequest, submission: Submission) -> dict[str, Any]:
    holds = list(submission.hold_set.all()[:50])
    return _context(request, holds) | {
        "held_submission": submission,
        "may_place_hold": holding.may_place(request.user),
    }


def _context(request: HttpRequest, holds: list[LegalHold]) -> dict[str, Any]:
    return {
        "active_holds": [h for h in holds if h.lifted_at is None],
        "lifted_holds": [h for h in holds if h.lifted_at is not None],
        "may_lift_hold": holding.may_lift(request.user),
    }


def is_held(submission: Submission | None) -> bool:
    return submission is not None and submission.hold_set.active().exists()
