"""The items of a bulk order: taken in batches, settled in batches.

Called under the order's lease. An item is settled in the transaction that does its
deed, so that no deed is done twice.
"""

from typing import Any

from upload.errors import (
    DATABASE_ERRORS,
    JobCancelled,
    LeaseLost,
    MunimentError,
    NotFound,
    WorkerStopping,
)
from upload.models import BulkItem, BulkOrder
from upload.states import OrderOutcome
from upload.wording import gettext as _
from upload.wording import kept_of

# These say nothing about the session at hand, so they end the attempt.
NOT_THE_SESSION = (*DATABASE_ERRORS, JobCancelled, LeaseLost, WorkerStopping)


def batch(order: BulkOrder, outcome: OrderOutcome, count: int) -> list[BulkItem]:
    """Return the next items that stand at ``outcome``, in the order of the plan."""
    rows = order.item_set.filter(outcome=outcome).order_by("pk")
    return list(rows[:count])


def note(item: BulkItem, outcome: OrderOutcome, reason: str = "") -> None:
    """Write to the item, unsaved, what became of its session and why."""
    item.outcome, item.reason = outcome, reason
    item.reason_told = kept_of(reason)


def settle(items: list[BulkItem]) -> None:
    """Write outcomes, reasons and jobs: one statement for all that are alike."""
    alike: dict[tuple[Any, ...], list[BulkItem]] = {}
    for item in items:
        told = (item.outcome, item.reason, item.job_uuid)
        alike.setdefault(told, []).append(item)
    for (outcome, reason, job_uuid), same in alike.items():
        BulkItem.objects.filter(pk__in=[item.pk for item in same]).update(
            outcome=outcome,
            reason=reason,
            reason_told=same[0].reason_told,
            job_uuid=job_uuid,
        )


def settle_rest(order: BulkOrder, outcome: OrderOutcome, reason: str) -> int:
    """Settle what no attempt will come to; return how many sessions."""
    rest = order.item_set.filter(outcome=OrderOutcome.PENDING)
    return rest.update(outcome=outcome, reason=reason, reason_told=kept_of(reason))


def gone() -> MunimentError:
    """Return what is told of a session that is not there for the person any more."""
    return NotFound(_("It does not exist any more, or is not for you to see."))
