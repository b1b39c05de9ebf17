"""SQLite's index of the files' names by their trigrams, filled behind the files.

PostgreSQL keeps such an index with the table (migration 0008). SQLite's full-text index
(FTS5, migration 0016) would make each file that comes in wait, so a schedule adds what
came since, and a search reads the names that came later. It finds candidates, never
answers: an entry whose file is gone finds nothing.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.db import connection, transaction
from django.utils import timezone

from upload.models import PermUploadedFile, Rollup, TempUploadedFile

ROLLUP = "names"
TRIGRAM = 3
# Each file's model, and its index.
TABLES: dict[type[Any], str] = {
    TempUploadedFile: "upload_tempuploadedfile_names",
    PermUploadedFile: "upload_permuploadedfile_names",
}
# Writers wait for one transaction, some 20 ms; one run of the schedule is not longer.
ROWS_AT_ONCE, RUN_SECONDS = 2000, 5.0
# Of so many entries more than half may be of files that are gone; then it begins anew.
STALE_FROM = 100_000


@dataclass(frozen=True, slots=True)
class Index:
    """A table of FTS5, what to ask it, and the last id that it knows."""

    table: str
    question: str
    until: int


def of_phrase(phrase: str) -> dict[type[Any], Index]:
    """Return where to look for names that may hold the phrase, by the files' model.

    Empty on other databases, without an index, and for what no index knows.
    """
    question = _question(phrase)
    if connection.vendor != "sqlite" or not question:
        return {}
    kept = Rollup.objects.filter(name=ROLLUP).values_list("figures", flat=True).first()
    return {
        model: Index(table, question, kept[table]["until"])
        for model, table in TABLES.items()
        if kept and table in kept
    }


def _question(phrase: str) -> str:
    """Return FTS5's words for a phrase: as few trigrams as cover it."""
    if len(phrase) < TRIGRAM or "\0" in phrase:
        return ""
    last = len(phrase) - TRIGRAM
    pieces = {phrase[at : at + TRIGRAM] for at in (*range(0, last, TRIGRAM), last)}
    return " AND ".join('"{}"'.format(p.replace('"', '""')) for p in sorted(pieces))


def extend(clock: Callable[[], float] = time.monotonic) -> int:
    """Index names that came since, for some seconds; return how many.

    The first run of a day begins anew where most entries are of files that are gone.
    Does nothing on other databases and without the index.
    """
    if not _is_there():
        return 0
    _drop_if_stale()
    until, done = clock() + RUN_SECONDS, 0
    while added := _add_some():
        done += added
        if clock() >= until:
            break
    return done


def _is_there() -> bool:
    if connection.vendor != "sqlite":
        return False
    with connection.cursor() as cursor:
        found = connection.introspection.table_names(cursor)
    return all(index in found for index in TABLES.values())


def _drop_if_stale() -> None:
    """Forget, once a day, how far it is if most of it is of files that are gone."""
    kept = Rollup.objects.filter(name=ROLLUP).first()
    if kept is None or kept.counted_at.date() == timezone.now().date():
        return
    if any(_is_stale(model, kept.figures.get(t)) for model, t in TABLES.items()):
        kept.delete()


def _is_stale(model: type[Any], figures: dict[str, int] | None) -> bool:
    if figures is None or figures["rows"] < STALE_FROM:
        return False
    return figures["rows"] > 2 * int(model._default_manager.count())


def _kept() -> Any:
    """Return the row that says how far it is; made, and the index emptied, if none."""
    now = timezone.now()
    kept, made = Rollup.objects.get_or_create(name=ROLLUP, defaults={"counted_at": now})
    if made:
        with connection.cursor() as cursor:
            for index in TABLES.values():
                cursor.execute(f"INSERT INTO {index}({index}) VALUES('delete-all')")
    return kept


def _add_some() -> int:
    """Add the next names of each table, and note in the same transaction how far."""
    added = 0
    with transaction.atomic():
        kept = _kept()
        for model, index in TABLES.items():
            figures = kept.figures.setdefault(index, {"until": 0, "rows": 0})
            added += _add(model, index, figures)
        kept.counted_at = timezone.now()
        kept.save()
    return added


def _add(model: type[Any], index: str, figures: dict[str, int]) -> int:
    rows = model._default_manager.order_by("pk").filter(pk__gt=figures["until"])
    ids = list(rows.values_list("pk", flat=True)[:ROWS_AT_ONCE])
    if ids:
        table = model._meta.db_table
        with connection.cursor() as cursor:
            cursor.execute(
                f"INSERT INTO {index}(rowid, name) SELECT id, name FROM {table} "  # noqa: S608 - names of ours
                "WHERE id > %s AND id <= %s",
                [figures["until"], ids[-1]],
            )
        figures["until"], figures["rows"] = ids[-1], figures["rows"] + len(ids)
    return len(ids)
