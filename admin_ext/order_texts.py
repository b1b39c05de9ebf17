"""The changing words of a bulk order's page; each is plain text in the reader's tongue.

``figures`` has the shape that the script on the pages reads; see ``live``.
"""

from typing import Any

from django.utils import timezone
from django.utils.formats import number_format
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from admin_ext.visible import visible
from upload import order_plan
from upload.models import BulkOrder
from upload.states import OrderOutcome, OrderState

# What is still to be done of an order; every other outcome is an end.
UNSETTLED = (OrderOutcome.PENDING, OrderOutcome.CLOSED)
ANNOUNCED_STEP = 25
NOTHING_TO_SEND_BACK = "0"


def figures(order: BulkOrder) -> dict[str, Any]:
    """Return what the script writes: ``texts`` by the name of their place."""
    counts = order_plan.outcome_counts(order)
    settled = order.sessions_total - sum(counts.get(o, 0) for o in UNSETTLED)
    percent = _percent(order, settled)
    return {
        "uuid": str(order.uuid),
        "state": order.state,
        "percent": percent,
        "running": order.state == OrderState.RUNNING,
        "ended": order.has_ended,
        "summary": f"{percent} %",
        "texts": _texts(order, settled, percent),
        "outcomes": counts,
        "mark": NOTHING_TO_SEND_BACK,
        "top": NOTHING_TO_SEND_BACK,
    }


def _percent(order: BulkOrder, settled: int) -> int:
    if not order.sessions_total:
        return 100 if order.has_ended else 0
    return settled * 100 // order.sessions_total


def _texts(order: BulkOrder, settled: int, percent: int) -> dict[str, str]:
    state = str(order.get_state_display())
    step = percent // ANNOUNCED_STEP * ANNOUNCED_STEP
    running = order.state == OrderState.RUNNING
    return {
        "state": state,
        "percent": f"{percent} %",
        "sessions": _("%(done)s of %(total)s")
        % {
            "done": number_format(settled),
            "total": number_format(order.sessions_total),
        },
        "rate": _rate_text(order, settled),
        "note": note(order),
        "error": visible(order.error_shown) or "-",
        "worker": order.lease_owner or "-",
        "announcement": f"{state}, {step} %" if running else state,
    }


def _rate_text(order: BulkOrder, settled: int) -> str:
    """Return the mean since the start, the waits for other work included."""
    if order.started_at is None:
        return "-"
    until = order.finished_at or timezone.now()
    seconds = (until - order.started_at).total_seconds()
    rate = int(settled / seconds) if seconds > 0 else 0
    return ngettext(
        "%(count)d session per second", "%(count)d sessions per second", rate
    ) % {"count": rate}


def note(order: BulkOrder) -> str:
    """Return what a person must know of the order; empty where all is well."""
    if order.cancel_requested_at and not order.has_ended:
        return _("Asked to stop.")
    if order.state == OrderState.QUEUED and order.next_run_at > timezone.now():
        if order.error:
            return _("The last attempt failed; the next one follows by itself.")
        return _("Waits until some of its jobs have ended, then queues the next.")
    return ""
