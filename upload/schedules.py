"""The schedules that django-q2 runs; ``sync_schedules`` makes the rows true."""

from dataclasses import dataclass

from django.db import transaction
from django_q.models import Schedule


@dataclass(frozen=True, slots=True)
class Planned:
    name: str
    func: str
    minutes: int


PLANNED: tuple[Planned, ...] = (
    Planned("Expire due sessions", "upload.tasks.expire_sessions", 5),
    Planned("Delete expired sessions", "upload.tasks.delete_expired_sessions", 60),
    Planned("Recover and retry jobs", "upload.tasks.recover_jobs", 1),
    Planned("Reconcile storage", "upload.tasks.reconcile_storage", 24 * 60),
    Planned("Count for the dashboard", "upload.tasks.refresh_rollups", 1),
    Planned("Queue fixity checks", "upload.tasks.queue_fixity_checks", 60),
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
