"""What the page of one job shows, besides its live figures; reads only."""

from typing import Any

from django.db.models import Count
from django.http import HttpRequest
from django.urls import reverse

from admin_ext import inlines, job_downloads, live, previews
from upload import jobs
from upload.models import Job
from upload.states import ItemOutcome, JobState, Verb

ITEMS_PER_PAGE = 100


def page_context(request: HttpRequest, job: Job) -> dict[str, Any]:
    """Return all that the template shows; the number of queries is constant."""
    return {
        "job": job,
        "figures": live.figures(job),
        "progress_url": reverse("admin:upload_job_progress", args=[job.pk]),
        "items_url": reverse("admin:upload_job_items", args=[job.pk]),
        "asks": possible_asks(request.user, job),
        "report_forms": job_downloads.FORMS,
        **items_context(request, job),
    }


def items_context(request: HttpRequest, job: Job) -> dict[str, Any]:
    outcome = inlines.outcome_of(request, ItemOutcome)
    return {
        "job": job,
        "outcomes": outcome_counts(job),
        "outcome": outcome,
        "items": inlines.items_of(request, job.item_set, outcome, ITEMS_PER_PAGE),
    }


def possible_asks(user: Any, job: Job) -> set[str]:
    """Return what would be done now if the person asked: names of ``ASKS``."""
    asks = set()
    if jobs.can_stop(job) and jobs.may_cancel(job, user):
        asks.add("cancel")
    if job.state == JobState.AWAITING_APPROVAL and jobs.may_approve(job, user):
        asks |= {"approve", "decline"}
    if may_retry(user, job):
        asks.add("retry")
    return asks


def may_retry(user: Any, job: Job) -> bool:
    if job.session is None or job.state not in {JobState.FAILED, JobState.CANCELLED}:
        return False
    verb, place = Verb(job.kind), job.destination_id
    return not previews.obstacle(user, verb, job.session, place)


def outcome_counts(job: Job) -> list[tuple[ItemOutcome, int]]:
    counted = job.item_set.order_by().values_list("outcome").annotate(Count("pk"))
    counts = dict(counted)
    return [(o, counts[o.value]) for o in ItemOutcome if o.value in counts]
