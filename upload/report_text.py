"""Reports of many rows as CSV or JSON text, in pieces small enough to stream.

Callers read their rows page by page: between two pieces no cursor and no transaction is
open, so a slow reader holds up nobody, and the memory taken does not grow.
"""

import csv
import io
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from django.core.serializers.json import DjangoJSONEncoder

from upload.csv_cells import csv_cell

PAGE_ITEMS = 2000
BYTE_ORDER_MARK = "\ufeff"  # by it a spreadsheet knows UTF-8

type Record = dict[str, Any]


def csv_text(fields: Sequence[str], pages: Iterable[list[Record]]) -> Iterator[str]:
    """Yield the records under a header; no spreadsheet runs any cell of it."""
    yield BYTE_ORDER_MARK + _csv_lines([dict(zip(fields, fields, strict=True))])
    for page in pages:
        yield _csv_lines(page)


def _csv_lines(page: list[Record]) -> str:
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerows([csv_cell(value) for value in item.values()] for item in page)
    return text.getvalue()


def json_elements(pages: Iterable[list[Record]]) -> Iterator[str]:
    """Yield the elements of a JSON array, without its brackets."""
    between = "\n"
    for page in pages:
        if page:
            yield between + ",\n".join(json_text(record) for record in page)
            between = ",\n"


def json_text(record: Record) -> str:
    return DjangoJSONEncoder(ensure_ascii=False).encode(record)
