"""The queue, to look at: sizes, heartbeats, schedules, tasks.

A row that can be written names a function that a worker runs, so nothing of django-q2
is added, changed or deleted here. Arguments, results and payloads are pickles: they
are not fetched, so that looking at a row unpickles nothing.
"""

from typing import Any

# Registers the models of django-q2 first: all are taken over here.
import django_q.admin  # noqa: F401
from django.apps import apps
from django.contrib import admin
from django.db.models import Count, Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django_q.models import Failure, OrmQ, Schedule, Success
from unfold.paginator import InfinitePaginator

from admin_ext.read_only import ReadOnlyAdmin
from upload.models import Job, WorkerBeat
from upload.queues import OF_HOST
from upload.states import JobState

SHOWN_JOB_STATES = (
    JobState.AWAITING_APPROVAL,
    JobState.QUEUED,
    JobState.RUNNING,
    JobState.FAILED,
)


def unregister_django_q() -> None:
    """Take every model of django-q2 out of the admin, also those of later versions."""
    for model in apps.get_app_config("django_q").get_models():
        if admin.site.is_registered(model):
            admin.site.unregister(model)


unregister_django_q()


@admin.register(Schedule)
class ScheduleAdmin(ReadOnlyAdmin):
    list_display = ("name", "func", "schedule_type", "minutes", "cluster", "next_run")
    fields = (
        "name",
        "func",
        "schedule_type",
        "minutes",
        "cron",
        "repeats",
        "cluster",
        "next_run",
        "task",
    )


@admin.register(Failure, Success)
class TaskAdmin(ReadOnlyAdmin):
    """Fetches no pickled column, in the list or on the page."""

    paginator = InfinitePaginator
    list_per_page = 50
    list_display = ("name", "func", "cluster", "started", "stopped", "attempt_count")
    fields = (
        "id",
        "name",
        "func",
        "group",
        "cluster",
        "started",
        "stopped",
        "attempt_count",
    )
    ordering = ("-stopped",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return super().get_queryset(request).defer("args", "kwargs", "result")


@admin.register(OrmQ)
class WaitingTaskAdmin(ReadOnlyAdmin):
    """What a waiting task is stands in its payload, which is not opened."""

    list_display = ("id", "key", "lock")
    list_display_links = None
    fields = ("id", "key", "lock")
    paginator = InfinitePaginator
    list_per_page = 50
    ordering = ("pk",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return super().get_queryset(request).defer("payload")


@admin.register(WorkerBeat)
class QueueHealthAdmin(ReadOnlyAdmin):
    """The page of the queue's health: heartbeats, with the figures above them."""

    list_display = ("queue", "host", "seen_at", "age")
    list_display_links = None
    fields = ("queue", "host", "seen_at")
    list_before_template = "admin_ext/queue_health.html"

    @admin.display(description=_("Seconds ago"))
    def age(self, beat: WorkerBeat) -> int:
        return int((timezone.now() - beat.seen_at).total_seconds())

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        context = {"title": _("Queue health"), **health(), **(extra_context or {})}
        return super().changelist_view(request, context)


def health() -> dict[str, Any]:
    """Return the queues with waiting and taken tasks, and the jobs by state."""
    taken = Count("pk", filter=Q(lock__gt=timezone.now()))
    # A host's heartbeats wait under keys of their own.
    queues = OrmQ.objects.exclude(key__contains=OF_HOST).order_by("key").values("key")
    counts = dict(Job.objects.order_by().values_list("state").annotate(Count("pk")))
    return {
        "queues": list(queues.annotate(tasks=Count("pk"), taken=taken)),
        "job_counts": [(s, counts.get(s.value, 0)) for s in SHOWN_JOB_STATES],
    }
