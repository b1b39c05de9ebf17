"""The admin's front page: what the portal holds, what it does, what needs somebody.

Named in settings.UNFOLD. Figures are those of ``upload.rollups``: no request counts
files, nor the sessions of a large portal. Everybody sees figures of the sessions that
they may see, and nothing else.
"""

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone
from django.utils.formats import date_format, number_format
from django.utils.translation import gettext as _
from django.utils.translation import ngettext, pgettext

from admin_ext import attention
from admin_ext.previews import with_titles
from admin_ext.read_only import of_visible_sessions
from upload import quantities, rollups
from upload.filters import expiring_soon
from upload.models import Job, UploadSession
from upload.rollups import Figures
from upload.states import OPEN, JobState, SessionStatus

PERIODS = (7, 30, 90)
JOBS_SHOWN = 5
MOST_COUNTED = 1000
TOLD_AFTER = timedelta(minutes=1)
HEIGHT = 100  # of a chart, in its own units; a bar is 8 wide and 2 apart
S = SessionStatus


@dataclass(frozen=True, slots=True)
class Card:
    label: str
    number: str
    minor: str
    url: str
    icon: str


@dataclass(frozen=True, slots=True)
class Bar:
    left: int
    top: int
    height: int
    text: str


@dataclass(frozen=True, slots=True)
class Chart:
    """Bars of the days, oldest first; ``rows`` are the same in words, newest first."""

    title: str
    most: str
    total: str
    bars: list[Bar]
    rows: list[tuple[str, str]]

    @property
    def width(self) -> int:
        return len(self.bars) * 10


def page_context(request: HttpRequest, context: dict[str, Any]) -> dict[str, Any]:
    """Add to the index page's context what the template shows."""
    sessions = UploadSession.objects.visible_to(request.user)
    everything = request.user.has_perm("upload.view_uploadsession")
    own = request.user.has_perm("upload.view_own_uploadsession")
    context |= {"sees_sessions": everything or own, "title": _("Dashboard")}
    if everything or own:
        figures = rollups.sessions(sessions, everything=everything)
        period = _period(request)
        context |= {
            "figures": figures,
            "counted_before": timezone.now() - figures.counted_at > TOLD_AFTER,
            "cards": cards(figures, sessions),
            "charts": charts(figures.days(period)),
            "periods": PERIODS,
            "period": period,
            "uses": uses() if everything else None,
        }
    return context | {
        "running": running(request),
        "groups": attention.groups(request),
    }


def _period(request: HttpRequest) -> int:
    text = request.GET.get("days", "")
    return next((days for days in PERIODS if str(days) == text), 30)


def cards(figures: Figures, sessions: QuerySet[UploadSession]) -> list[Card]:
    soon = expiring_soon(sessions).order_by()[: MOST_COUNTED + 1].count()
    more = soon > MOST_COUNTED
    told = number_format(min(soon, MOST_COUNTED)) + ("+" if more else "")
    return [
        _card(figures, pgettext("open sessions", "Open"), "folder_open", OPEN),
        Card(_("Expiring soon"), told, "", _url("expiry=soon"), "timer"),
        _card(figures, _("Copying"), "sync", {S.COPYING_IN_PROGRESS}),
        _card(figures, _("Failed"), "error", {S.COPYING_FAILED}),
        _card(figures, _("Stored"), "inventory_2", {S.STORED}),
    ]


def _card(figures: Figures, label: str, icon: str, statuses: Any) -> Card:
    held = figures.of(statuses)
    query = "&".join(f"status={s.value}" for s in SessionStatus if s in statuses)
    size = quantities.size_text(held.size_bytes)
    return Card(label, number_format(held.sessions), size, _url(query), icon)


def _url(query: str) -> str:
    return f"{reverse('admin:upload_uploadsession_changelist')}?{query}"


def charts(days: list[tuple[date, rollups.Amount]]) -> list[Chart]:
    counts = [(day, held.sessions) for day, held in days]
    sizes = [(day, held.size_bytes) for day, held in days]
    return [
        chart(_("Sessions started a day"), counts, _sessions_text),
        chart(_("Bytes of the sessions started a day"), sizes, quantities.size_text),
    ]


def _sessions_text(count: int) -> str:
    text = ngettext("%(count)s session", "%(count)s sessions", count)
    return text % {"count": number_format(count)}


def chart(title: str, days: list[tuple[date, int]], words: Any) -> Chart:
    most = max(value for _day, value in days)
    rows = [(date_format(day, "DATE_FORMAT"), str(words(n))) for day, n in days]
    bars = [
        _bar(index, value, most, f"{rows[index][0]}: {rows[index][1]}")
        for index, (_day, value) in enumerate(days)
    ]
    total = str(words(sum(value for _day, value in days)))
    return Chart(title, str(words(most)), total, bars, rows[::-1])


def _bar(index: int, value: int, most: int, text: str) -> Bar:
    height = max(value * HEIGHT // most, 1 if value else 0) if most else 0
    return Bar(index * 10 + 1, HEIGHT - height, height, text)


def uses() -> dict[str, Any]:
    """Return what each storage holds, with the names that people know."""
    counted_at, ours, copies = rollups.storages()
    names = {"temp": _("Temporary storage"), "uploaded": _("Permanent storage")}
    rows = [(names[use.name], use) for use in ours]
    rows += [(use.name or _("Folders without a destination"), use) for use in copies]
    return {"counted_at": counted_at, "rows": rows}


def running(request: HttpRequest) -> list[Job] | None:
    """Return the jobs under way, the longest first; None where one may not see any."""
    if not request.user.has_perm("upload.view_job"):
        return None
    rows = of_visible_sessions(Job.objects.all(), request)
    under_way = rows.filter(state=JobState.RUNNING).order_by("lease_until")
    return with_titles(under_way[:JOBS_SHOWN])
