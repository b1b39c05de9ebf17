"""Find sessions by a phrase: uuid, person, file name, title, accession number.

Stays quick with a million sessions and ten million files. A phrase that few sessions
match becomes the list of their ids; one that many match becomes a condition asked of
each session in the order of the list, which fills a page after few of them. Both find
exactly the same sessions. Names and titles match anywhere in them; a phrase of one or
two characters only at their beginning, because no index knows less than three.
PostgreSQL answers from trigram indexes (migration 0008); SQLite reads the names, some
0.2 s for a million files.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db.models import Exists, OuterRef, Q, Value
from django.db.models.functions import Concat

from upload.models import (
    InProgressSubmission,
    PermUploadedFile,
    Submission,
    TempUploadedFile,
    UploadSession,
)

# Shorter uuid prefixes would match too much by chance.
MIN_UUID_PREFIX = 4
SHORTEST_INSIDE = 3
# A phrase that is found in more rows or sessions is asked of each session instead.
MOST_ROWS = 20_000
MOST_SESSIONS = 5_000
# So few sessions with so many rows: one session holds a great many files of the name.
FEW_SESSIONS = 500


@dataclass(frozen=True, slots=True)
class Found:
    """The condition on sessions; ``is_listed`` where it names them one by one."""

    condition: Q
    is_listed: bool


def find(phrase: str) -> Found:
    """Return the condition that a session matches the phrase."""
    people = list(matching_people(phrase).values_list("pk", flat=True))
    found: set[int] = set()
    for source in _sources(phrase, people):
        rows = list(source[: MOST_ROWS + 1])
        found.update(rows)
        if len(rows) > MOST_ROWS or len(found) > MOST_SESSIONS:
            seldom = len(found) <= FEW_SESSIONS
            return Found(_of_each(phrase, people, listed=seldom), is_listed=False)
    return Found(Q(pk__in=found), is_listed=True)


def _sources(phrase: str, people: list[int]) -> Iterator[Any]:
    """Yield the ids of matching sessions, by each thing that may match, unordered."""
    sessions = UploadSession.objects.order_by()
    here = uuid_prefix("uuid", phrase) | Q(user__in=people)
    yield sessions.filter(here).values_list("pk", flat=True)
    named = []
    for model, column, condition in _named(phrase):
        rows = model.objects.order_by().filter(condition)
        rows = rows.filter(**{f"{column}__isnull": False})
        named.append(rows.values_list(column, flat=True))
    temporary, permanent, drafts, submissions = named
    yield temporary.union(permanent, all=True)
    yield drafts.union(submissions, all=True)


def _named(phrase: str) -> list[tuple[Any, str, Q]]:
    """Return each model that names a session, the column with its id, the match."""
    named, titled = _inside("name", phrase), _inside("title", phrase)
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


def _of_each(phrase: str, people: list[int], *, listed: bool) -> Q:
    condition = uuid_prefix("uuid", phrase) | Q(user__in=people)
    for model, column, matching in _named(phrase):
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


def matching_people(phrase: str) -> Any:
    people = UploadSession._meta.get_field("user").related_model._default_manager  # type: ignore[union-attr]
    matching = people.alias(
        western=Concat("first_name", Value(" "), "last_name"),
        eastern=Concat("last_name", Value(" "), "first_name"),
    ).filter(
        Q(username__icontains=phrase)
        | Q(western__icontains=phrase)
        | Q(eastern__icontains=phrase)
    )
    return matching.order_by()
