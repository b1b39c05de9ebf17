"""Statements written down as they are, for what is asked for each file that comes in.

Django compiles a queryset anew each time it is asked, which takes ten times as long
as the database takes to answer one of these. Only for questions by equal values.
"""

from typing import Any

from django.db import connections, models, router


def has_row(model: type[models.Model], **values: Any) -> bool:
    """Return whether a row has just these values, by their columns' attributes.

    Asked of the database that is written to, so that a transaction sees its own.
    """
    database = connections[router.db_for_write(model)]
    quote = database.ops.quote_name
    fields = {field.attname: field for field in model._meta.concrete_fields}
    wanted = " AND ".join(f"{quote(fields[name].column)} = %s" for name in values)
    parameters = [
        fields[name].get_db_prep_value(value, database)
        for name, value in values.items()
    ]
    table = quote(model._meta.db_table)
    with database.cursor() as cursor:
        cursor.execute(f"SELECT 1 FROM {table} WHERE {wanted} LIMIT 1", parameters)  # noqa: S608 - the models' own names
        return cursor.fetchone() is not None
