"""Rows in bulk without an object for each: for plans and receipts of many files.

Where ``bulk_create`` compiles an expression for each value of each row, this converts
what differs and writes it down. It sends no signals and returns no rows, as that.
"""

from collections.abc import Callable, Iterable, Sequence
from functools import partial
from itertools import batched
from typing import Any

from django.db import connections, models, router
from django.db.models.constants import OnConflict

MOST_ROWS = 500
# Every database takes the strings and whole numbers of these unchanged.
AS_THEY_ARE = (models.CharField, models.TextField, models.IntegerField)


def insert_rows(
    model: type[models.Model],
    names: Sequence[str],
    rows: Iterable[Sequence[Any]],
    *,
    shared: dict[str, Any],
    replacing: str = "",
) -> None:
    """Insert a row for each of ``rows``, whose values are those of ``names`` in order.

    Names are columns' attributes (``job_id``, not ``job``). ``shared`` is the same in
    all rows; a field named by neither takes one default for all of them. ``replacing``
    names a unique field: the row that has its value already is overwritten, its key
    kept. Call it in a transaction: it writes by several statements.
    """
    columns = {
        field.attname: field
        for field in model._meta.concrete_fields
        if not field.primary_key
    }
    varying = [columns.pop(name) for name in names]
    database = connections[router.db_for_write(model)]
    convert = partial(_converter, database)
    defaults = {name: field.get_default() for name, field in columns.items()}
    same = [
        convert(columns[name])(value) for name, value in (defaults | shared).items()
    ]
    fields = [*varying, *columns.values()]
    converters = [convert(field) for field in varying]
    head, tail = _statement(database, model, fields, replacing)
    most = database.ops.bulk_batch_size(fields, range(MOST_ROWS))
    values = f"({', '.join(['%s'] * len(fields))})"
    with database.cursor() as cursor:
        for batch in batched(rows, most):
            parameters: list[Any] = []
            for row in batch:
                parameters += [c(v) for c, v in zip(converters, row, strict=True)]
                parameters += same
            sql = f"{head}{', '.join([values] * len(batch))}{tail}"
            cursor.execute(sql, parameters)


def _statement(
    database: Any, model: type[models.Model], fields: list[Any], replacing: str
) -> tuple[str, str]:
    """Return what stands before and behind the values."""
    quote = database.ops.quote_name
    columns = {field.name: field.column for field in fields}
    listed = ", ".join(map(quote, columns.values()))
    table = quote(model._meta.db_table)
    head = f"INSERT INTO {table} ({listed}) VALUES "  # noqa: S608 - the models' own names
    if not replacing:
        return head, ""
    unique = columns.pop(replacing)
    others = list(columns.values())
    how = database.ops.on_conflict_suffix_sql
    return head, f" {how(fields, OnConflict.UPDATE, others, [unique])}"


def _converter(database: Any, field: Any) -> Callable[[Any], Any]:
    if isinstance(field, AS_THEY_ARE):
        return _itself
    return partial(_to_column, database, field)


def _itself(value: Any) -> Any:
    return value


def _to_column(database: Any, field: Any, value: Any) -> Any:
    return field.get_db_prep_save(value, database)
