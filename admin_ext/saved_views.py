"""Above the session list: its tabs with their counts, and the filters in use as chips.

Tabs and chips are links that speak the FilterSet's own query string. Counts are the
figures of ``upload.rollups`` or stop at ``MOST_COUNTED``.
"""

from dataclasses import dataclass
from datetime import date
from typing import Any

from django.http import HttpRequest, QueryDict
from django.utils.formats import date_format, number_format
from django.utils.translation import gettext as _
from django.utils.translation import pgettext

from admin_ext.visible import visible
from upload import rollups
from upload.filters import SessionFilter, expiring_soon
from upload.models import UploadSession
from upload.states import OPEN, SessionStatus

MOST_COUNTED = 1000
S = SessionStatus


@dataclass(frozen=True, slots=True)
class Tab:
    label: str
    query: str
    count: str
    is_current: bool


@dataclass(frozen=True, slots=True)
class Chip:
    """One value of one filter; ``url`` is the list without it."""

    label: str
    value: str
    url: str


def tabs(request: HttpRequest) -> list[Tab]:
    """Return the saved views; the current one is that whose filters are in use."""
    person = request.user
    sessions = UploadSession.objects.visible_to(person)
    everything = person.has_perm("upload.view_uploadsession")
    held = rollups.sessions(sessions, everything=everything)
    mine = QueryDict(mutable=True)
    mine["owner"] = person.get_username()
    rows = [
        (pgettext("all sessions", "All"), "", number_format(held.of().sessions)),
        (
            pgettext("open sessions", "Open"),
            "status=CR&status=UG",
            number_format(held.of(OPEN).sessions),
        ),
        (_("Expiring soon"), "expiry=soon", _counted(expiring_soon(sessions))),
        (_("Stored"), "status=SD", number_format(held.of([S.STORED]).sessions)),
        (
            _("Failed"),
            "status=FD",
            number_format(held.of([S.COPYING_FAILED]).sessions),
        ),
        (_("Mine"), mine.urlencode(), _counted(sessions.filter(user=person.pk))),
    ]
    now = _filters(request.GET)
    return [
        Tab(label, query, count, _filters(QueryDict(query)) == now)
        for label, query, count in rows
    ]


def _counted(sessions: Any) -> str:
    count = sessions.order_by()[: MOST_COUNTED + 1].count()
    if count > MOST_COUNTED:
        return f"{number_format(MOST_COUNTED)}+"
    return str(number_format(count))


def _filters(query: QueryDict) -> dict[str, list[str]]:
    known = {name: query.getlist(name) for name in SessionFilter.base_filters}
    return {name: sorted(v for v in vs if v) for name, vs in known.items() if any(vs)}


def chips(request: HttpRequest) -> list[Chip]:
    """Return one chip a value, in the order of the filters."""
    return [
        Chip(str(SessionFilter.base_filters[name].label), shown, url)
        for name, values in _filters(request.GET).items()
        for value in values
        for shown, url in [(_words(name, value), _without(request, name, value))]
    ]


def _words(name: str, value: str) -> str:
    """Return the value as people know it: the label of a choice, a day as a date."""
    field = SessionFilter.base_filters[name]
    choices = dict(field.extra.get("choices") or ())
    if value in choices:
        return str(choices[value])
    cleaned = SessionFilter(_one(name, value)).form
    day = cleaned.cleaned_data.get(name) if cleaned.is_valid() else None
    if isinstance(day, date):
        return str(date_format(day, "DATE_FORMAT"))
    return visible(value)[:100]


def _one(name: str, value: str) -> QueryDict:
    query = QueryDict(mutable=True)
    query[name] = value
    return query


def _without(request: HttpRequest, name: str, value: str) -> str:
    query = request.GET.copy()
    query.setlist(name, [v for v in query.getlist(name) if v != value])
    query.pop("p", None)
    return f"?{query.urlencode()}"
