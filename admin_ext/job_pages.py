"""The list and the page of jobs: progress, items, and the three things asked of a job.

Cancel, retry and approve are POSTs that call ``upload.jobs``; what it refuses becomes a
message, or 403 where the person may not.
"""

from collections.abc import Callable
from typing import Any

from django.contrib import admin, messages
from django.contrib.admin.views.main import ERROR_FLAG
from django.core.exceptions import PermissionDenied
from django.db.models import Count, QuerySet
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect
from django.urls import URLPattern, path, reverse
from django.utils.translation import gettext_lazy

from admin_ext import columns, inlines, live, previews
from admin_ext.links import session_link
from admin_ext.list_filters import filterset_list_filters
from admin_ext.read_only import ReadOnlyAdmin, of_visible_sessions
from upload import jobs
from upload.errors import MunimentError, NotPermitted
from upload.filters import JobFilter
from upload.models import Job
from upload.states import ItemOutcome, JobState, Verb

ITEMS_PER_PAGE = 100

type Ask = Callable[[Job, Any, str], Job]


def cancel(job: Job, actor: Any, reason: str) -> Job:
    jobs.cancel(job, actor, reason)
    return job


def retry(job: Job, actor: Any, reason: str) -> Job:
    return jobs.retry(job, actor)


def approve(job: Job, actor: Any, reason: str) -> Job:
    jobs.approve(job, actor)
    return job


# What can be asked of a job: the last part of its URL, the deed, what is told after.
ASKS: dict[str, tuple[Ask, Any]] = {
    "cancel": (cancel, gettext_lazy("The job was asked to stop.")),
    "retry": (retry, gettext_lazy("The work was queued again as this new job.")),
    "approve": (approve, gettext_lazy("The removal was approved and queued.")),
}


@admin.register(Job)
class JobAdmin(ReadOnlyAdmin):
    list_display = (
        "kind_and_uuid",
        "state_badge",
        "session_link",
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

    @admin.display(description=gettext_lazy("Last heartbeat"), empty_value="-")
    def heartbeat(self, job: Job) -> str | None:
        return columns.moment(job.heartbeat_at) if job.heartbeat_at else None

    @admin.display(description=gettext_lazy("Asked"), ordering="created_at")
    def asked(self, job: Job) -> str:
        return columns.moment(job.created_at)

    @admin.display(description=gettext_lazy("Progress"))
    def progress(self, job: Job) -> str:
        return live.texts(job)["files"] if job.has_ended else columns.progress_bar(job)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Job]:
        return of_visible_sessions(super().get_queryset(request), request)

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
        return [
            path(
                "<int:pk>/progress/",
                wrap(self.progress_view),
                name="upload_job_progress",
            ),
            path(
                "<int:pk>/ask/<slug:ask>/", wrap(self.ask_view), name="upload_job_ask"
            ),
            *super().get_urls(),
        ]

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any
    ) -> HttpResponse:
        if job := kwargs.get("obj"):
            context |= page_context(request, job)
        return super().render_change_form(request, context, *args, **kwargs)

    def progress_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        if request.method not in {"GET", "HEAD"}:
            return HttpResponse(status=405, headers={"Allow": "GET, HEAD"})
        # admin_view has made sure that no cache keeps it.
        return JsonResponse(live.figures(self._visible(request, pk)))

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


def page_context(request: HttpRequest, job: Job) -> dict[str, Any]:
    """Return all that the template shows; the number of queries is constant."""
    return {
        "job": job,
        "figures": live.figures(job),
        "progress_url": reverse("admin:upload_job_progress", args=[job.pk]),
        "asks": possible_asks(request.user, job),
        "outcomes": outcome_counts(job),
        "outcome": chosen_outcome(request),
        "items": items_page(request, job),
    }


def possible_asks(user: Any, job: Job) -> set[str]:
    """Return what would be done now if the person asked: names of ``ASKS``."""
    asks = set()
    if jobs.can_stop(job) and jobs.may_cancel(job, user):
        asks.add("cancel")
    if job.state == JobState.AWAITING_APPROVAL and jobs.may_approve(job, user):
        asks.add("approve")
    if may_retry(user, job):
        asks.add("retry")
    return asks


def may_retry(user: Any, job: Job) -> bool:
    if job.session is None or job.state not in {JobState.FAILED, JobState.CANCELLED}:
        return False
    return not previews.obstacle(user, Verb(job.kind), job.session)


def outcome_counts(job: Job) -> list[tuple[ItemOutcome, int]]:
    counted = job.item_set.order_by().values_list("outcome").annotate(Count("pk"))
    counts = dict(counted)
    return [(o, counts[o.value]) for o in ItemOutcome if o.value in counts]


def chosen_outcome(request: HttpRequest) -> str:
    text = request.GET.get("outcome", "")
    return text if text in ItemOutcome.values else ""


def items_page(request: HttpRequest, job: Job) -> inlines.Page:
    items = job.item_set.order_by("pk")
    if outcome := chosen_outcome(request):
        items = items.filter(outcome=outcome)
    return inlines.page_of(request, items, "items", ITEMS_PER_PAGE)
