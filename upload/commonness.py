"""Whether what is asked for is common, told by a few stretches of each table.

To list what matches a common phrase takes long, and the list is thrown away; a sample
tells soon. Only of large tables, by blocks on PostgreSQL and by keys on SQLite:
elsewhere nothing is called common, and everything is listed.
"""

from collections.abc import Sequence
from typing import Any

from django.db import connection

# Stretches read in all, evenly spread over the tables; in each the first so many rows.
STRETCHES = 120
ROWS_A_STRETCH = 32
# Tables of fewer blocks, or keys, in all are searched whole.
LEAST = {"postgresql": 20_000, "sqlite": 1_000_000}
# Different ids among the sampled rows; of a million sessions, some 2 % of them.
COMMON = 6

TIDS = """{table}.ctid = ANY (ARRAY(
    SELECT ('(' || block || ',' || line || ')')::tid
    FROM generate_series(0, {last}, {step}) block, generate_series(1, {rows}) line
))"""
KEYS = """{table}.id IN (
    WITH RECURSIVE
        stretch(first) AS (
            SELECT 1 UNION ALL
            SELECT first + {step} FROM stretch WHERE first + {step} <= {last}
        ),
        line(number) AS (
            SELECT 0 UNION ALL SELECT number + 1 FROM line WHERE number + 1 < {rows}
        )
    SELECT first + number FROM stretch, line
)"""


def is_common(sources: Sequence[Any]) -> bool:
    """Return whether many different ids stand in a sample of the sources.

    Each source is a queryset of one table that yields ids of sessions. A session of a
    hundred thousand files counts once.
    """
    if connection.vendor not in LEAST:
        return False
    sizes = _sizes([rows.model._meta.db_table for rows in sources])
    if sum(sizes) < LEAST[connection.vendor]:
        return False
    step = max(1, sum(sizes) // STRETCHES)
    first, *others = (
        _sampled(rows, size, step)
        for rows, size in zip(sources, sizes, strict=True)
        if size
    )
    return len(set(first.union(*others, all=True))) >= COMMON


def _sizes(tables: list[str]) -> list[int]:
    """Return how many blocks each table has, or what its last key is."""
    if connection.vendor == "sqlite":
        lasts = (f"coalesce((SELECT max(id) FROM {table}), 0)" for table in tables)  # noqa: S608 - names of our own
        with connection.cursor() as cursor:
            cursor.execute(f"SELECT {', '.join(lasts)}")
            return list(cursor.fetchone())
    sizes = ", ".join(["pg_relation_size(%s)"] * len(tables))
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT current_setting('block_size')::int, {sizes}", tables)
        block_bytes, *sizes_bytes = cursor.fetchone()
    return [size_bytes // block_bytes for size_bytes in sizes_bytes]


def _sampled(rows: Any, size: int, step: int) -> Any:
    table, on_sqlite = rows.model._meta.db_table, connection.vendor == "sqlite"
    stretches = KEYS if on_sqlite else TIDS
    last = size if on_sqlite else size - 1
    where = stretches.format(table=table, last=last, step=step, rows=ROWS_A_STRETCH)
    return rows.extra(where=[where])  # noqa: S610 - a table and numbers of our own
