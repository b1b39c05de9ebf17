"""Whether what is asked for is common, told by a few blocks of each table.

To list what matches a common phrase takes long, and the list is thrown away; a sample
tells soon. PostgreSQL only, and only of large tables: elsewhere nothing is
called common, and everything is listed.
"""

from collections.abc import Sequence
from typing import Any

from django.db import connection

# Blocks read in all, evenly spread over the tables; in each the first so many rows.
BLOCKS = 120
ROWS_A_BLOCK = 32
# Tables of fewer blocks in all are searched whole.
LEAST_BLOCKS = 20_000
# Different ids among the sampled rows; of a million sessions, some 2 % of them.
COMMON = 6

TIDS = """{table}.ctid = ANY (ARRAY(
    SELECT ('(' || block || ',' || line || ')')::tid
    FROM generate_series(0, {last}, {step}) block, generate_series(1, {rows}) line
))"""


def is_common(sources: Sequence[Any]) -> bool:
    """Return whether many different ids stand in a sample of the sources.

    Each source is a queryset of one table that yields ids of sessions. A session of a
    hundred thousand files counts once.
    """
    if connection.vendor != "postgresql":
        return False
    sizes = _blocks([rows.model._meta.db_table for rows in sources])
    if sum(sizes) < LEAST_BLOCKS:
        return False
    step = max(1, sum(sizes) // BLOCKS)
    first, *others = (
        _sampled(rows, size, step)
        for rows, size in zip(sources, sizes, strict=True)
        if size
    )
    return len(set(first.union(*others, all=True))) >= COMMON


def _blocks(tables: list[str]) -> list[int]:
    """Return how many blocks each table has."""
    sizes = ", ".join(["pg_relation_size(%s)"] * len(tables))
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT current_setting('block_size')::int, {sizes}", tables)
        block_bytes, *sizes_bytes = cursor.fetchone()
    return [size_bytes // block_bytes for size_bytes in sizes_bytes]


def _sampled(rows: Any, blocks: int, step: int) -> Any:
    table = rows.model._meta.db_table
    where = TIDS.format(table=table, last=blocks - 1, step=step, rows=ROWS_A_BLOCK)
    return rows.extra(where=[where])  # noqa: S610 - a table and numbers of our own
