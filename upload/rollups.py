"""What the portal holds, for the dashboard and the counts of the session list.

A small portal is counted while one waits; a large one by a schedule every minute, and
what is shown tells its age. Files are never counted: sessions carry their own sums,
kept right in the transaction that changes their files.
"""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any

from django.db.models import Count, QuerySet, Sum
from django.db.models.functions import TruncDate
from django.utils import timezone

from upload.models import FileCopy, PermUploadedFile, Rollup, UploadSession
from upload.states import OPEN, SessionStatus
from upload.storage import TempFileStorage, UploadedFileStorage, free_bytes

# Up to so many sessions are counted while a page waits: some 20 ms.
COUNTED_AT_ONCE = 20_000
DAYS_KEPT = 90
SESSIONS, STORAGES = "sessions", "storages"
STORAGES_EVERY = timedelta(minutes=15)
# Their files may stand in either storage.
IN_BETWEEN = (
    SessionStatus.COPYING_FAILED,
    SessionStatus.COPYING_IN_PROGRESS,
    SessionStatus.REMOVING_IN_PROGRESS,
)
type Row = tuple[str, str, int, int, int]  # day, status, sessions, files, bytes


@dataclass(frozen=True, slots=True)
class Amount:
    sessions: int = 0
    files: int = 0
    size_bytes: int = 0

    def __add__(self, other: "Amount") -> "Amount":
        return Amount(
            self.sessions + other.sessions,
            self.files + other.files,
            self.size_bytes + other.size_bytes,
        )


@dataclass(frozen=True, slots=True)
class Figures:
    """Sessions by state and by the day of their start, as they were ``counted_at``."""

    counted_at: datetime
    by_status: dict[str, Amount] = field(default_factory=dict)
    by_day: dict[str, Amount] = field(default_factory=dict)

    def of(self, statuses: Iterable[str] = tuple(SessionStatus)) -> Amount:
        return sum((self.by_status.get(s, Amount()) for s in statuses), Amount())

    def days(self, count: int) -> list[tuple[date, Amount]]:
        """Return the last ``count`` days, oldest first, also those without sessions."""
        today = timezone.localdate()
        past = [today - timedelta(days=back) for back in reversed(range(count))]
        return [(day, self.by_day.get(day.isoformat(), Amount())) for day in past]


def sessions(visible: QuerySet[Any], *, everything: bool) -> Figures:
    """Return the figures of ``visible`` sessions, which are all if ``everything``.

    What is more than COUNTED_AT_ONCE is told as the schedule last counted it.
    """
    some = visible.order_by().values("pk")[: COUNTED_AT_ONCE + 1]
    if everything and some.count() > COUNTED_AT_ONCE:
        kept = Rollup.objects.filter(name=SESSIONS).first()
        if kept is not None:
            return _figures(kept.counted_at, kept.figures["rows"])
    return _figures(timezone.now(), _rows(visible))


def _rows(visible: QuerySet[Any]) -> list[Row]:
    """Count once over the sessions; days long ago are one."""
    recent = timezone.localdate() - timedelta(days=DAYS_KEPT)
    groups = (
        visible.order_by()
        .annotate(day=TruncDate("started_at"))
        .values_list("day", "status")
        .annotate(Count("pk"), Sum("total_files"), Sum("total_size_bytes"))
    )
    found: dict[tuple[str, str], Amount] = defaultdict(Amount)
    for day, status, count, files, size_bytes in groups:
        name = day.isoformat() if day > recent else ""
        found[name, status] += Amount(count, files, size_bytes)
    return [
        (day, status, a.sessions, a.files, a.size_bytes)
        for (day, status), a in found.items()
    ]


def _figures(counted_at: datetime, rows: Iterable[Any]) -> Figures:
    by_status: dict[str, Amount] = defaultdict(Amount)
    by_day: dict[str, Amount] = defaultdict(Amount)
    for day, status, *numbers in rows:
        by_status[status] += Amount(*numbers)
        by_day[day] += Amount(*numbers)
    return Figures(counted_at, dict(by_status), dict(by_day))


@dataclass(frozen=True, slots=True)
class Use:
    """What a storage holds of ours; ``free_bytes`` None where it cannot say."""

    name: str
    files: int
    size_bytes: int
    free_bytes: int | None = None


def storages() -> tuple[datetime | None, list[Use], list[Use]]:
    """Return when it was counted, what our storages hold, what destinations hold."""
    kept = Rollup.objects.filter(name=STORAGES).first()
    if kept is None:
        return None, [], []
    ours = [
        Use(name, files, size, _free(name))
        for name, files, size in kept.figures["ours"]
    ]
    return kept.counted_at, ours, [Use(*row) for row in kept.figures["copies"]]


def _free(alias: str) -> int | None:
    try:
        return free_bytes(
            TempFileStorage() if alias == "temp" else UploadedFileStorage()
        )
    except OSError:  # the dashboard is shown also while a disk is away
        return None


def refresh() -> None:
    """Count anew; the storages only where they were counted some time ago."""
    everything = UploadSession.objects.all()
    rows = _rows(everything)
    _keep(SESSIONS, {"rows": rows})
    old = timezone.now() - STORAGES_EVERY
    if not Rollup.objects.filter(name=STORAGES, counted_at__gt=old).exists():
        held = _figures(timezone.now(), rows)
        _keep(STORAGES, {"ours": _held(held), "copies": _copies()})


def _keep(name: str, figures: dict[str, Any]) -> None:
    values = {"counted_at": timezone.now(), "figures": figures}
    Rollup.objects.update_or_create(name=name, defaults=values)


def _held(figures: Figures) -> list[tuple[str, int, int]]:
    """Return what each storage holds; only sessions in between are asked for files."""
    between = figures.of(IN_BETWEEN)
    moved = PermUploadedFile.objects.filter(session__status__in=IN_BETWEEN)
    sums = moved.order_by().aggregate(files=Count("pk"), size=Sum("size"))
    there = Amount(0, sums["files"], sums["size"] or 0)
    permanent = figures.of([SessionStatus.STORED]) + there
    temporary = figures.of(OPEN) + between
    return [
        (
            "temp",
            temporary.files - there.files,
            temporary.size_bytes - there.size_bytes,
        ),
        ("uploaded", permanent.files, permanent.size_bytes),
    ]


def _copies() -> list[tuple[str, int, int]]:
    groups = FileCopy.objects.order_by("destination__name").values_list(
        "destination__name"
    )
    counted = groups.annotate(Count("pk"), Sum("size_bytes"))
    return [(name or "", count, size) for name, count, size in counted]
