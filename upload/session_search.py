"""Find sessions by a phrase: uuid, person, file name, title, accession number.

Stays quick with a million sessions and ten million files. A phrase that few sessions
match becomes the list of their ids; one that many match becomes a condition asked of
each session in the order of the list, which fills a page after few of them. Both find
exactly the same sessions. Names and titles match anywhere in them; a phrase of one or
two characters only at their beginning, because no index knows less than three.
PostgreSQL answers from trigram indexes (migration 0008), SQLite from those of
``name_index``.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db import DatabaseError, connection
from django.db.models import Exists, OuterRef, Q, Value
from django.db.models.functions import Concat, StrIndex, Upper
from django.db.models.lookups import GreaterThan

from upload import name_index
from upload.among import among
from upload.commonness import is_common
from upload.models import (
    InProgressSubmission,
    PermUploadedFile,
    Submission,
    TempUploadedFile,
    UploadSession,
)
from upload.name_index import Index

# Shorter uuid prefixes would match too much by chance.
MIN_UUID_PREFIX = 4
SHORTEST_INSIDE = 3
# A phrase that is found in more rows is asked of each session instead.
MOST_ROWS = 20_000
# So few sessions with so many rows: one session holds a great many files of the name.
FEW_SESSIONS = 500
# More people than these are found anew by the database.
MOST_PEOPLE = 100


@dataclass(frozen=True, slots=True)
class Found:
    """The condition on sessions; ``is_listed`` where it names them one by one."""

    condition: Q
    is_listed: bool


def find(phrase: str) -> Found:
    """Return the condition that a session matches the phrase."""
    owned = _owned(phrase)
    sources = _sources(phrase, owned)
    if is_common(sources):
        return Found(_of_each(phrase, owned, listed=False), is_listed=False)
    rows = _listed(sources, phrase)
    found = set(rows)
    if len(rows) > MOST_ROWS:
        seldom = len(found) <= FEW_SESSIONS
        return Found(_of_each(phrase, owned, listed=seldom), is_listed=False)
    return Found(among("pk", found), is_listed=True)


def _listed(sources: list[Any], phrase: str) -> list[int]:
    """Return the ids that the sources find, up to one more than MOST_ROWS."""
    indexes = name_index.of_phrase(phrase)
    try:
        return _first_rows(list(_by_indexes(sources, indexes)))
    except DatabaseError:
        if not indexes:
            raise
        name_index.note_failure()
        return _first_rows(sources)


def _first_rows(sources: list[Any]) -> list[int]:
    first, *others = sources
    return list(first.union(*others, all=True)[: MOST_ROWS + 1])


def _owned(phrase: str) -> Q:
    """Match the sessions of people whom the phrase names."""
    people = matching_people(phrase).values_list("pk", flat=True)
    few = list(people[: MOST_PEOPLE + 1])
    return Q(user__in=few if len(few) <= MOST_PEOPLE else people)


def _sources(phrase: str, owned: Q) -> list[Any]:
    """Return the ids of matching sessions, by each thing that may match, unordered."""
    sessions = UploadSession.objects.order_by()
    here = sessions.filter(uuid_prefix("uuid", phrase) | owned)
    sources: list[Any] = [here.values_list("pk", flat=True)]
    for model, column, condition in _named(phrase, _indexed):
        rows = model.objects.order_by().filter(condition)
        rows = rows.filter(**{f"{column}__isnull": False})
        sources.append(rows.values_list(column, flat=True))
    return sources


def _by_indexes(sources: list[Any], indexes: dict[type[Any], Index]) -> Iterator[Any]:
    """Yield the same rows, where SQLite has an index of them found by that."""
    for rows in sources:
        index = indexes.get(rows.model)
        yield from [rows] if index is None else _by_index(rows, index)


def _by_index(rows: Any, index: Index) -> list[Any]:
    """Return the rows that an index knows, and those that came later."""
    known = rows.extra(  # noqa: S610 - names of our own
        tables=[index.table], where=index.known, params=[index.question]
    )
    return [known, rows.extra(where=[index.later])]  # noqa: S610 - names of our own


def _named(phrase: str, inside: Any) -> list[tuple[Any, str, Q]]:
    """Return each model that names a session, the column with its id, the match."""
    named, titled = inside("name", phrase), inside("title", phrase)
    number = Q(accession_number__istartswith=phrase)
    return [
        (TempUploadedFile, "session_id", named),
        (PermUploadedFile, "session_id", named),
        (InProgressSubmission, "upload_session_id", titled),
        (Submission, "upload_session_id", titled | number),
    ]


def _inside(field: str, phrase: str) -> Q:
    short = len(phrase) < SHORTEST_INSIDE
    return Q(**{f"{field}__{'istartswith' if short else 'icontains'}": phrase})


def _indexed(field: str, phrase: str) -> Q:
    """Match the same, quicker by a trigram index where the phrase is not one word.

    All trigrams of a long phrase take longer to look up than the rows of some of them
    to read: the beginnings of its words, two trigrams of the longest and one of each
    other, find few enough. Numbers begin alike, so they are asked for whole.
    """
    words = re.findall(rf"[^\W_]{{{SHORTEST_INSIDE},}}", phrase)
    if words in ([], [phrase]) or connection.vendor != "postgresql":
        return _inside(field, phrase)
    longest = max(words, key=len)
    words.remove(longest)
    condition = _inside(field, _beginning(longest, SHORTEST_INSIDE + 1))
    for word in words:
        condition &= _inside(field, _beginning(word, SHORTEST_INSIDE))
    whole = StrIndex(Upper(field), Upper(Value(phrase)))
    return condition & Q(GreaterThan(whole, 0))


def _beginning(word: str, length: int) -> str:
    return word if re.search(r"\d", word) else word[:length]


def _of_each(phrase: str, owned: Q, *, listed: bool) -> Q:
    condition = uuid_prefix("uuid", phrase) | owned
    for model, column, matching in _named(phrase, _inside):
        rows = model.objects.order_by().filter(matching)
        if listed:
            known = rows.filter(**{f"{column}__isnull": False})
            condition |= Q(pk__in=known.values(column))
        else:
            # A range, not "=": PostgreSQL would read all names into a hash for "=".
            here = {f"{column}__gte": OuterRef("pk"), f"{column}__lte": OuterRef("pk")}
            condition |= Q(Exists(rows.filter(**here)))
    return condition


def uuid_prefix(field: str, phrase: str) -> Q:
    """Match a whole uuid or its first digits, dashes or not, by a range."""
    digits = phrase.replace("-", "").lower()
    if not re.fullmatch(rf"[0-9a-f]{{{MIN_UUID_PREFIX},32}}", digits):
        return Q(pk__in=[])
    low, high = UUID(digits.ljust(32, "0")), UUID(digits.ljust(32, "f"))
    return Q(**{f"{field}__gte": low, f"{field}__lte": high})


def person(field: str, phrase: str) -> Q:
    """Match a person by user name, or by first and last name in either order."""
    return Q(**{f"{field}__in": matching_people(phrase).values("pk")})


def people_called(user_name: str) -> Any:
    """Return the keys of people of this user name, in any case."""
    return _people().filter(username__iexact=user_name).values_list("pk", flat=True)


def matching_people(phrase: str) -> Any:
    matching = (
        _people()
        .alias(
            western=Concat("first_name", Value(" "), "last_name"),
            eastern=Concat("last_name", Value(" "), "first_name"),
        )
        .filter(
            Q(username__icontains=phrase)
            | Q(western__icontains=phrase)
            | Q(eastern__icontains=phrase)
        )
    )
    return matching.order_by()


def _people() -> Any:
    return UploadSession._meta.get_field("user").related_model._default_manager  # type: ignore[union-attr]
