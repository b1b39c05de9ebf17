"""SQLite's index of names and titles by their trigrams, filled behind the rows.

PostgreSQL keeps such an index with the table (migration 0008). SQLite's full-text index
(FTS5, migration 0016) would make each file that comes in wait, so a schedule adds what
came since, and a search reads the names that came later. It finds candidates, never
answers: an entry whose file is gone finds nothing. All up to an id is known while no id
is used twice; where one may be, ``forget`` is called.
"""

import logging
import re
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from django.db import DatabaseError, connection, transaction
from django.utils import timezone

from upload.models import PermUploadedFile, Rollup, Submission, TempUploadedFile

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Indexed:
    """An index's table, what it holds of a row, and whether that ``changes``."""

    table: str
    text: str = "name"
    changes: bool = False


ROLLUP = "names"
TRIGRAM, MOST_TRIGRAMS = 3, 4
TITLE = "coalesce(accession_number, '') || char(10) || title"
INDEXES: dict[type[Any], Indexed] = {
    TempUploadedFile: Indexed("upload_tempuploadedfile_names"),
    PermUploadedFile: Indexed("upload_permuploadedfile_names"),
    Submission: Indexed("upload_submission_names", TITLE, changes=True),
}
# How far an index is, asked within the question itself: both are of one moment.
UNTIL = """coalesce((
    SELECT json_extract(figures, '$.{table}.until') FROM upload_rollup
    WHERE name = 'names'
), 0)"""
# The rows of a transaction, for which writers wait, and how long a run goes on.
ROWS_AT_ONCE, RUN_SECONDS = 2000, 5.0
# Once no index was found, this process asks for none before the next migration.
_absent = threading.Event()
# Of so many entries more than half may be of files that are gone; then it begins anew.
STALE_FROM = 100_000


@dataclass(frozen=True, slots=True)
class Index:
    """Conditions on a model's table, ``%s`` for the question, which find what may fit.

    ``known`` needs ``table`` beside it; ``later`` is of rows that are not indexed yet.
    """

    table: str
    question: str
    known: tuple[str, str]
    later: str


def of_phrase(phrase: str) -> dict[type[Any], Index]:
    """Return where to look for texts that may hold the phrase, by the rows' model.

    Empty on other databases, where no index was found, and for what none knows.
    """
    question = _question(phrase)
    if connection.vendor != "sqlite" or _absent.is_set() or not question:
        return {}
    return {
        model: Index(
            indexed.table,
            question,
            (
                f"{indexed.table} MATCH %s",
                f"{indexed.table}.rowid = {model._meta.db_table}.id",
            ),
            f"{model._meta.db_table}.id > {UNTIL.format(table=indexed.table)}",
        )
        for model, indexed in INDEXES.items()
    }


def _question(phrase: str) -> str:
    """Return FTS5's words for a phrase, which some of its trigrams are.

    Those of more take longer to go through than the few more candidates of less.
    """
    if len(phrase) < TRIGRAM or "\0" in phrase:
        return ""
    last = len(phrase) - TRIGRAM
    starts = _starts_at_spaces(phrase, last) or _starts_spread(last)
    pieces = dict.fromkeys(phrase[at : at + TRIGRAM] for at in starts)
    some = sorted(list(pieces)[:MOST_TRIGRAMS])
    return " AND ".join('"{}"'.format(piece.replace('"', '""')) for piece in some)


def _starts_at_spaces(phrase: str, last: int) -> list[int]:
    """Return the middle of the longest word, and where words meet, the longest first.

    Many names hold the same words, few hold two of them side by side. Nothing where
    there is one word, or none that is long enough.
    """
    words = list(re.finditer(r"[^ ]+", phrase))
    longest = max(words, key=_length, default=None)
    if len(words) < 2 or longest is None or _length(longest) < TRIGRAM:
        return []
    starts = [(longest.start() + longest.end() - TRIGRAM) // 2]
    pairs = sorted(pairwise(words), key=lambda pair: -sum(map(_length, pair)))
    for word, following in pairs:
        starts += [word.end() + 1 - TRIGRAM, following.start() - 1]
    return [start for start in starts if 0 <= start <= last]


def _length(word: re.Match[str]) -> int:
    return word.end() - word.start()


def _starts_spread(last: int) -> list[int]:
    gaps = MOST_TRIGRAMS - 1
    return [last * gap // gaps for gap in range(MOST_TRIGRAMS)]


def extend(clock: Callable[[], float] = time.monotonic) -> int:
    """Index what came since, for some seconds; return how many rows.

    The first run of a day begins anew what may have changed behind the models' back,
    and what is mostly of files that are gone. Does nothing on other databases and
    without the index.
    """
    if not _is_there():
        return 0
    _drop_stale()
    until, done = clock() + RUN_SECONDS, 0
    while added := sum(map(_add_some, INDEXES)):
        done += added
        if clock() >= until:
            break
    return done


def note_failure() -> None:
    """Hear, while its error is handled, that no index could be asked."""
    if _is_there():
        logger.exception("The index of names is damaged; the names are read.")
        forget()
    else:
        _absent.set()


def forget() -> None:
    """Let all be indexed anew; until then a search reads what is not."""
    Rollup.objects.filter(name=ROLLUP).delete()


def note_saved(
    sender: type[Any], instance: Any, created: bool, raw: bool, **_: Any
) -> None:
    """Hear of a saved row; index its new text. That of the old one finds nothing.

    ``raw`` rows come from a fixture, with ids of their own.
    """
    wanted = raw or (INDEXES[sender].changes and not created)
    if not wanted or not _is_there():
        return
    try:
        with transaction.atomic():
            _insert(sender, "id = %s", [instance.pk])
    except DatabaseError:  # damaged; the row is saved for all that
        forget()


def note_migrated(plan: Any = None, **_: Any) -> None:
    """Hear of migrations, which may make a table anew, and of ``flush`` (no plan)."""
    _absent.clear()
    if connection.vendor == "sqlite" and (plan is None or plan) and _is_there():
        forget()


def _is_there() -> bool:
    if connection.vendor != "sqlite":
        return False
    names = [indexed.table for indexed in INDEXES.values()]
    marks = ", ".join(["%s"] * len(names))
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT count(*) FROM sqlite_master WHERE name IN ({marks})",  # noqa: S608 - marks
            names,
        )
        return bool(cursor.fetchone()[0] == len(names))


def _drop_stale() -> None:
    """Once a day, forget how far the indexes are that are to begin anew."""
    with transaction.atomic():
        kept = Rollup.objects.filter(name=ROLLUP).first()
        if kept is None or kept.counted_at.date() == timezone.now().date():
            return
        for model, indexed in INDEXES.items():
            if _is_stale(model, indexed, kept.figures.get(indexed.table)):
                del kept.figures[indexed.table]
        kept.save()


def _is_stale(
    model: type[Any], indexed: Indexed, figures: dict[str, int] | None
) -> bool:
    if figures is None:
        return False
    if indexed.changes:
        return True
    rows = figures["rows"]
    return rows >= STALE_FROM and rows > 2 * int(model._default_manager.count())


def _add_some(model: type[Any]) -> int:
    """Add the next rows of a table, and note in the same transaction how far it is."""
    indexed = INDEXES[model]
    with transaction.atomic():
        now = timezone.now()
        kept, _made = Rollup.objects.get_or_create(
            name=ROLLUP, defaults={"counted_at": now}
        )
        figures = kept.figures.get(indexed.table) or _begun(indexed)
        added = _add(model, figures)
        kept.figures[indexed.table], kept.counted_at = figures, now
        kept.save()
    return added


def _begun(indexed: Indexed) -> dict[str, int]:
    """Empty an index; return how far it is then."""
    table = indexed.table
    with connection.cursor() as cursor:
        cursor.execute(f"INSERT INTO {table}({table}) VALUES('delete-all')")
    return {"until": 0, "rows": 0}


def _add(model: type[Any], figures: dict[str, int]) -> int:
    rows = model._default_manager.order_by("pk").filter(pk__gt=figures["until"])
    ids = list(rows.values_list("pk", flat=True)[:ROWS_AT_ONCE])
    if ids:
        _insert(model, "id > %s AND id <= %s", [figures["until"], ids[-1]])
        figures["until"], figures["rows"] = ids[-1], figures["rows"] + len(ids)
    return len(ids)


def _insert(model: type[Any], where: str, parameters: list[Any]) -> None:
    indexed = INDEXES[model]
    with connection.cursor() as cursor:
        cursor.execute(
            f"INSERT INTO {indexed.table}(rowid, name) SELECT id, {indexed.text} "  # noqa: S608 - names of ours
            f"FROM {model._meta.db_table} WHERE {where}",
            parameters,
        )
