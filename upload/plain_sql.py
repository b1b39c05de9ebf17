"""Statements written down as they are, for what is asked for each file that comes in.

Django compiles a queryset anew each time it is asked, which takes ten times as long
as the database takes to answer one of these. Only for questions by equal values, and
for one new row. All ask the database that is written to, so that a transaction sees
its own.
"""

from collections.abc import Callable, Iterable
from functools import cache
from typing import Any

from django.db import connections, models, router


def has_row(model: type[models.Model], **values: Any) -> bool:
    """Return whether a row has just these values, by their columns' attributes."""
    return _first(model, "1", values) is not None


def find_row[M: models.Model](model: type[M], **values: Any) -> M | None:
    """Return a row that has just these values, None where there is none.

    Equals what the default manager would find, without what its querysets add.
    """
    alias = router.db_for_write(model)
    found = _first(model, _listed(model), values)
    if found is None:
        return None
    names = [field.attname for field in model._meta.concrete_fields]
    return model.from_db(alias, names, _converted(alias, model, found))


def insert_row(row: models.Model) -> None:
    """Insert a new row and note its key on it; send no signals, as ``bulk_create``."""
    model = type(row)
    alias = router.db_for_write(model)
    database = connections[alias]
    values = [
        field.get_db_prep_save(field.pre_save(row, add=True), database)
        for field in _but_the_key(model)
    ]
    with database.cursor() as cursor:
        cursor.execute(_inserting(model), values)
        row.pk = cursor.fetchone()[0]
    row._state.adding, row._state.db = False, alias


def _first(
    model: type[models.Model], wanted: str, values: dict[str, Any]
) -> tuple[Any, ...] | None:
    database = connections[router.db_for_write(model)]
    fields = {field.attname: field for field in model._meta.concrete_fields}
    parameters = [
        fields[name].get_db_prep_value(value, database)
        for name, value in values.items()
    ]
    with database.cursor() as cursor:
        cursor.execute(_asking(model, wanted, tuple(values)), parameters)
        found: tuple[Any, ...] | None = cursor.fetchone()
    return found


def _converted(
    alias: str, model: type[models.Model], values: Iterable[Any]
) -> list[Any]:
    """Return the values as their fields give them, from what the database gave."""
    database = connections[alias]
    converted = list(values)
    for place, column in _to_convert(alias, model):
        for convert in _converters(database, column):
            converted[place] = convert(converted[place], column, database)
    return converted


@cache
def _to_convert(alias: str, model: type[models.Model]) -> list[tuple[int, Any]]:
    """Return the places and columns of a row whose values are not as they come."""
    fields = enumerate(model._meta.concrete_fields)
    columns = [(place, field.get_col(model._meta.db_table)) for place, field in fields]
    return [pair for pair in columns if _converters(connections[alias], pair[1])]


def _converters(database: Any, column: Any) -> list[Callable[..., Any]]:
    return [
        *database.ops.get_db_converters(column),
        *column.get_db_converters(database),
    ]


def _but_the_key(model: type[models.Model]) -> list[Any]:
    return [field for field in model._meta.concrete_fields if not field.primary_key]


def _quoted(model: type[models.Model], *names: str) -> list[str]:
    quote = connections[router.db_for_write(model)].ops.quote_name
    return [quote(name) for name in names]


@cache
def _listed(model: type[models.Model]) -> str:
    return ", ".join(_quoted(model, *(f.column for f in model._meta.concrete_fields)))


@cache
def _asking(model: type[models.Model], wanted: str, names: tuple[str, ...]) -> str:
    fields = {field.attname: field for field in model._meta.concrete_fields}
    (table,) = _quoted(model, model._meta.db_table)
    columns = _quoted(model, *(fields[name].column for name in names))
    equal = " AND ".join(f"{column} = %s" for column in columns)
    return f"SELECT {wanted} FROM {table} WHERE {equal} LIMIT 1"  # noqa: S608 - the models' own names


@cache
def _inserting(model: type[models.Model]) -> str:
    columns = _quoted(model, *(field.column for field in _but_the_key(model)))
    table, key = _quoted(model, model._meta.db_table, model._meta.pk.column)
    values = ", ".join(["%s"] * len(columns))
    return (
        f"INSERT INTO {table} ({', '.join(columns)}) VALUES ({values}) RETURNING {key}"  # noqa: S608 - the models' own names
    )
