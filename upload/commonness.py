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
LEAST_BLOCKS, LEAST_KEYS = 20_000, 1_000_000
# Different ids among the sampled rows; of a million sessions, some 2 % of them.
COMMON = 6

TIDS = """{table}.ctid = ANY (ARRAY(
    SELECT ('(' || block || ',' || line || ')')::tid
    FROM generate_series(0, {last}, {step}) block, generate_series(1, {rows}) line
))"""
# One question: its first part finds nothing where the tables are small.
KEYS = """{table}.id IN (
    WITH RECURSIVE
        step(length) AS (
            SELECT max(1, total / {stretches}) FROM (SELECT {total} AS total)
            WHERE total >= {least}
        ),
        stretch(first) AS (
            SELECT 1 FROM step UNION ALL
            SELECT first + length FROM stretch, step
            WHERE first + length <= {last}
        ),
        line(number) AS (
            SELECT 0 UNION ALL SELECT number + 1 FROM line WHERE number + 1 < {rows}
        )
    SELECT first + number FROM stretch, line
)"""
LAST_KEY = "coalesce((SELECT max(id) FROM {table}), 0)"


def is_common(sources: Sequence[Any]) -> bool:
    """Return whether many different ids stand in a sample of the sources.

    Each source is a queryset of one table that yields ids of sessions. A session of a
    hundred thousand files counts once.
    """
    tables = [rows.model._meta.db_table for rows in sources]
    stretches: Sequence[str] = ()
    if connection.vendor == "postgresql":
        stretches = _stretches_of_blocks(tables)
    elif connection.vendor == "sqlite":
        stretches = _stretches_of_keys(tables)
    if not stretches:
        return False
    first, *others = (
        rows.extra(where=[where])  # noqa: S610 - tables and numbers of our own
        for rows, where in zip(sources, stretches, strict=True)
    )
    return len(set(first.union(*others, all=True))) >= COMMON


def _stretches_of_blocks(tables: list[str]) -> list[str]:
    """Return the condition of each table's sampled rows; none of small tables."""
    sizes = _blocks(tables)
    if sum(sizes) < LEAST_BLOCKS:
        return []
    step = max(1, sum(sizes) // STRETCHES)
    return [
        TIDS.format(table=table, last=size - 1, step=step, rows=ROWS_A_STRETCH)
        for table, size in zip(tables, sizes, strict=True)
    ]


def _blocks(tables: list[str]) -> list[int]:
    """Return how many blocks each table has."""
    sizes = ", ".join(["pg_relation_size(%s)"] * len(tables))
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT current_setting('block_size')::int, {sizes}", tables)
        block_bytes, *sizes_bytes = cursor.fetchone()
    return [size_bytes // block_bytes for size_bytes in sizes_bytes]


def _stretches_of_keys(tables: list[str]) -> list[str]:
    lasts = [LAST_KEY.format(table=table) for table in tables]
    numbers = {
        "total": " + ".join(lasts),
        "stretches": STRETCHES,
        "least": LEAST_KEYS,
        "rows": ROWS_A_STRETCH,
    }
    return [
        KEYS.format(table=table, last=last, **numbers)
        for table, last in zip(tables, lasts, strict=True)
    ]
