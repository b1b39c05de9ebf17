"""Badges, times and names for the templates of the admin's own pages."""

from datetime import datetime

from django import template
from django.utils.safestring import SafeString

from admin_ext import columns, estimate, purposes
from admin_ext.visible import visible
from upload.models import BulkItem, JobItem, SessionEvent
from upload.states import ItemOutcome, OrderOutcome, Outcome

register = template.Library()

register.filter("visible", visible)
register.filter("job_badge", columns.job_badge)
register.filter("order_badge", columns.order_badge)
register.filter("progress_bar", columns.progress_bar)
register.simple_tag(estimate.estimate, name="estimated_time")
register.simple_tag(purposes.of_list, name="list_purpose")
register.simple_tag(purposes.of_page, name="page_purpose")
register.simple_tag(purposes.of_empty_list, name="what_to_do")

OUTCOME_KINDS: dict[str, str] = {
    Outcome.SUCCESS: "success",
    Outcome.WARNING: "warning",
    Outcome.FAILURE: "danger",
    ItemOutcome.PENDING: "",
    ItemOutcome.DONE: "success",
    ItemOutcome.ALREADY: "info",
    ItemOutcome.MISSING: "danger",
    ItemOutcome.FAILED: "danger",
    OrderOutcome.CLOSED: "primary",
    OrderOutcome.QUEUED: "info",
    OrderOutcome.SKIPPED: "warning",
    OrderOutcome.LEFT: "",
}


@register.filter
def moment(at: datetime | None) -> SafeString | str:
    return columns.moment(at) if at else "-"


@register.filter
def outcome_badge(row: BulkItem | JobItem | SessionEvent) -> SafeString:
    return columns.badge(str(row.get_outcome_display()), OUTCOME_KINDS[row.outcome])
