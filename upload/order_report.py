"""The report of a whole bulk order as CSV or JSON, in pieces small enough to stream.

Called with an order that the caller may see.
"""

from collections.abc import Iterator

from django.utils import timezone

from upload import order_plan
from upload.models import BulkItem, BulkOrder
from upload.report_text import PAGE_ITEMS, Record, csv_text, json_elements, json_text

# The columns of the CSV file and the keys of a JSON item, in this order.
FIELDS = (
    "order",
    "session",
    "status_when_chosen",
    "files",
    "size_bytes",
    "outcome",
    "reason",
    "job",
)
AS_STORED = (
    "uuid verb state reason selection sessions_total requester_name created_at "
    "confirmed_at started_at finished_at cancel_requested_at error error_code"
)


def as_csv(order: BulkOrder) -> Iterator[str]:
    """Yield the sessions as CSV."""
    return csv_text(FIELDS, _pages(order))


def as_json(order: BulkOrder) -> Iterator[str]:
    """Yield one object: ``order`` and ``items``."""
    yield f'{{"order": {json_text(facts(order))},\n"items": ['
    yield from json_elements(_pages(order))
    yield "\n]}\n"


def facts(order: BulkOrder) -> Record:
    """Return what is known of the order itself, as it is now."""
    return {name: getattr(order, name) for name in AS_STORED.split()} | {
        "destination": order.destination.name if order.destination else "",
        "outcomes": order_plan.outcome_counts(order),
        "reported_at": timezone.now(),
    }


def _pages(order: BulkOrder) -> Iterator[list[Record]]:
    items = order.item_set.order_by("pk")
    after = 0
    while page := list(items.filter(pk__gt=after)[:PAGE_ITEMS]):
        yield [_record(order, item) for item in page]
        after = page[-1].pk


def _record(order: BulkOrder, item: BulkItem) -> Record:
    known = (
        order.uuid,
        item.session_uuid,
        item.session_status,
        item.files,
        item.size_bytes,
        item.outcome,
        order_plan.reason_of(order, item),
        item.job_uuid,
    )
    return dict(zip(FIELDS, known, strict=True))
