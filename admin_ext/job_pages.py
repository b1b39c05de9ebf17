"""The list and the page of jobs: progress, items, and the three things asked of a job.

Cancel, retry and approve are POSTs that call ``upload.jobs``; what it refuses becomes a
message, or 403 where the person may not. The figures, the items and the reports are
GETs for whoever may see the page.
"""

from collections.abc import Callable
from typing import Any

from django.contrib import admin, messages
from django.contrib.admin.views.main import ERROR_FLAG
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import (
    Http404,
    HttpRequest,
    HttpResponse,
    JsonResponse,
    StreamingHttpResponse,
)
from django.shortcuts import redirect, render
from django.urls import URLPattern, path, reverse
from django.utils.decorators import method_decorator
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_safe

from admin_ext import approvals, columns, job_downloads, job_page, job_texts, live
from admin_ext.links import session_link
from admin_ext.list_filters import filterset_list_filters
from admin_ext.previews import with_titles
from admin_ext.read_only import ReadOnlyAdmin, of_visible_sessions
from upload import jobs
from upload.errors import MunimentError, NotPermitted
from upload.filters import JobFilter
from upload.models import Job

type Ask = Callable[[Job, Any, str], Job]


def cancel(job: Job, actor: Any, reason: str) -> Job:
    jobs.cancel(job, actor, reason)
    return job


def retry(job: Job, actor: Any, reason: str) -> Job:
    return jobs.retry(job, actor)


def approve(job: Job, actor: Any, reason: str) -> Job:
    jobs.approve(job, actor, reason)
    return job


def decline(job: Job, actor: Any, reason: str) -> Job:
    jobs.decline(job, actor, reason)
    return job


# What can be asked of a job: the last part of its URL, the deed, what is told after.
ASKS: dict[str, tuple[Ask, Any]] = {
    "cancel": (cancel, gettext_lazy("The job was asked to stop.")),
    "retry": (retry, gettext_lazy("The work was queued again as this new job.")),
    "approve": (approve, gettext_lazy("The removal was approved and queued.")),
    "decline": (decline, gettext_lazy("The removal was refused; the files stay.")),
}


@admin.register(Job)
class JobAdmin(ReadOnlyAdmin):
    list_display = (
        "kind_and_uuid",
        "state_badge",
        "session_link",
        "title",
        "requester",
        "progress",
        "attempts",
        "heartbeat",
        "asked",
    )
    list_select_related = ("requester",)
    list_filter = filterset_list_filters(JobFilter)
    list_filter_submit = True
    list_per_page = 50
    list_fullwidth = True
    ordering = ("-created_at", "-pk")
    # The search itself is JobFilter's; Django shows its box where this is set.
    search_fields = ("uuid",)
    search_help_text = gettext_lazy("Job, session or person")
    fields = ("uuid",)
    change_form_template = "admin_ext/job_page.html"

    @admin.display(description=gettext_lazy("Job"), ordering="kind")
    def kind_and_uuid(self, job: Job) -> str:
        return f"{job.get_kind_display()} {str(job.uuid)[:8]}"

    @admin.display(description=gettext_lazy("State"), ordering="state")
    def state_badge(self, job: Job) -> str:
        return columns.job_badge(job)

    @admin.display(description=gettext_lazy("Session"))
    def session_link(self, job: Job) -> str:
        return session_link(job.session_id, job.session_uuid)

    @admin.display(description=gettext_lazy("Title"), empty_value="-")
    def title(self, job: Job) -> str | None:
        return columns.title(job.session) if job.session else None

    @admin.display(description=gettext_lazy("Last heartbeat"), empty_value="-")
    def heartbeat(self, job: Job) -> str | None:
        return columns.moment(job.heartbeat_at) if job.heartbeat_at else None

    @admin.display(description=gettext_lazy("Asked"), ordering="created_at")
    def asked(self, job: Job) -> str:
        return columns.moment(job.created_at)

    @admin.display(description=gettext_lazy("Progress"))
    def progress(self, job: Job) -> str:
        if job.has_ended:
            return job_texts.files_text(job)
        return columns.progress_bar(job)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Job]:
        return of_visible_sessions(super().get_queryset(request), request)

    def get_changelist_instance(self, request: HttpRequest) -> Any:
        """Return the list, the sessions of its page with their titles."""
        found = super().get_changelist_instance(request)
        found.result_list = with_titles(found.result_list)
        return found

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Job], search_term: str
    ) -> tuple[QuerySet[Job], bool]:
        found = JobFilter({"q": search_term}, queryset)
        return (queryset.none() if found.form.errors else found.qs), False

    def lookup_allowed(
        self, lookup: str, value: str, request: HttpRequest | None = None
    ) -> bool:
        return lookup in JobFilter.base_filters or lookup == ERROR_FLAG

    def get_urls(self) -> list[URLPattern]:
        wrap = self.admin_site.admin_view
        return (
            [
                path("approvals/", wrap(approvals.view), name="upload_job_approvals"),
            ]
            + [
                path(f"<int:pk>/{route}/", wrap(view), name=f"upload_job_{name}")
                for route, view, name in (
                    ("progress", self.progress_view, "progress"),
                    ("items", self.items_view, "items"),
                    ("report/<slug:form>", self.report_view, "report"),
                    ("ask/<slug:ask>", self.ask_view, "ask"),
                )
            ]
            + super().get_urls()
        )

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any
    ) -> HttpResponse:
        if job := kwargs.get("obj"):
            context |= job_page.page_context(request, job)
        return super().render_change_form(request, context, *args, **kwargs)

    # admin_view makes sure that no cache keeps any of these.
    @method_decorator(require_safe)
    def progress_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        job = self._visible(request, pk)
        counts = {"outcomes": dict(job_page.outcome_counts(job))}
        seen = live.Seen.of(request.GET)
        return JsonResponse(live.figures(job, seen) | counts)

    @method_decorator(require_safe)
    def items_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Give the part of the page that lists the files."""
        context = job_page.items_context(request, self._visible(request, pk))
        return render(request, "admin_ext/job/items.html", context)

    @method_decorator(require_safe)
    def report_view(
        self, request: HttpRequest, pk: int, form: str
    ) -> StreamingHttpResponse:
        if form not in job_downloads.FORMS:
            raise Http404
        return job_downloads.report(request.user, self._visible(request, pk), form)

    def ask_view(self, request: HttpRequest, pk: int, ask: str) -> HttpResponse:
        """Cancel, retry or approve by POST, and go to the page of the job."""
        if ask not in ASKS:
            raise Http404
        if request.method != "POST":
            return HttpResponse(status=405, headers={"Allow": "POST"})
        return redirect(page_url(asked(request, self._visible(request, pk), ask)))

    def _visible(self, request: HttpRequest, pk: int) -> Job:
        if not self.has_view_permission(request):
            raise PermissionDenied
        job: Job | None = self.get_object(request, str(pk))
        if job is None:
            raise Http404
        return job


def asked(request: HttpRequest, job: Job, ask: str) -> Job:
    """Do what was asked, tell what came of it; return the job to show."""
    deed, told = ASKS[ask]
    try:
        shown = deed(job, request.user, request.POST.get("reason", "")[:2000])
    except NotPermitted as error:
        raise PermissionDenied from error
    except (MunimentError, OSError, ValueError) as error:
        messages.error(request, str(error))
        return job
    messages.success(request, str(told))
    return shown


def page_url(job: Job) -> str:
    return reverse("admin:upload_job_change", args=[job.pk])
