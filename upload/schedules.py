"""The schedules that django-q2 runs; ``sync_schedules`` makes the rows true."""

from dataclasses import dataclass
from datetime import timedelta

from django.db import transaction
from django.utils import timezone
from django_q.models import Schedule


@dataclass(frozen=True, slots=True)
class Planned:
    name: str
    func: str
    minutes: int


PLANNED: tuple[Planned, ...] = (
    Planned("Expire due sessions", "upload.tasks.expire_sessions", 5),
    Planned("Remind of expiring sessions", "upload.tasks.remind_expiring", 5),
    Planned("Delete expired sessions", "upload.tasks.delete_expired_sessions", 60),
    Planned("Recover and retry jobs", "upload.tasks.recover_jobs", 1),
    Planned("Reconcile storage", "upload.tasks.reconcile_storage", 24 * 60),
    Planned("End unfinished uploads", "upload.tasks.sweep_unfinished_uploads", 15),
    Planned("Count for the dashboard", "upload.tasks.refresh_rollups", 1),
    Planned("Index names for the search", "upload.tasks.index_names", 1),
    Planned("Queue fixity checks", "upload.tasks.queue_fixity_checks", 60),
)


def mend_times() -> int:
    """Let run now what a wrong clock has put further off than its interval."""
    now = timezone.now()
    return sum(
        Schedule.objects.filter(
            name=planned.name, next_run__gt=now + timedelta(minutes=2 * planned.minutes)
        ).update(next_run=now)
        for planned in PLANNED
    )


def sync() -> tuple[int, int]:
    """Create or mend our schedules and delete all others; return (kept, deleted).

    Other rows could name any function, so none is left in the table.
    """
    with transaction.atomic():
        for planned in PLANNED:
            Schedule.objects.update_or_create(
                name=planned.name,
                defaults={
                    "func": planned.func,
                    "schedule_type": Schedule.MINUTES,
                    "minutes": planned.minutes,
                    "repeats": -1,
                    "args": None,
                    "kwargs": None,
                    "hook": None,
                    "cluster": None,
                },
            )
        strangers = Schedule.objects.exclude(name__in=[p.name for p in PLANNED])
        deleted, _rows = strangers.delete()
    return len(PLANNED), deleted
