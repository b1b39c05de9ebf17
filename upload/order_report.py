"""The report of a whole bulk order as CSV or JSON, in pieces small enough to stream.

Called with an order that the caller may see. Reads page by page, as ``job_report``
does: between two pieces no cursor and no transaction is open.
"""

import csv
import io
from collections.abc import Iterator
from typing import Any

from django.core.serializers.json import DjangoJSONEncoder
from django.utils import timezone

from upload import order_plan
from upload.csv_cells import csv_cell
from upload.models import BulkItem, BulkOrder

PAGE_ITEMS = 2000
BYTE_ORDER_MARK = "\ufeff"  # by it a spreadsheet knows UTF-8
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

type Record = dict[str, Any]


def as_csv(order: BulkOrder) -> Iterator[str]:
    """Yield the sessions as CSV with a header; no spreadsheet runs any cell of it."""
    yield BYTE_ORDER_MARK + _lines([dict(zip(FIELDS, FIELDS, strict=True))])
    for page in _pages(order):
        yield _lines(page)


def _lines(page: list[Record]) -> str:
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerows([csv_cell(value) for value in item.values()] for item in page)
    return text.getvalue()


def as_json(order: BulkOrder) -> Iterator[str]:
    """Yield one object: ``order`` and ``items``."""
    yield f'{{"order": {_dumped(facts(order))},\n"items": ['
    between = "\n"
    for page in _pages(order):
        yield between + ",\n".join(_dumped(item) for item in page)
        between = ",\n"
    yield "\n]}\n"


def _dumped(record: Record) -> str:
    return DjangoJSONEncoder(ensure_ascii=False).encode(record)


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
