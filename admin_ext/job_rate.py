"""How fast a job goes: over the last seconds where these are known, else on average."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.utils import timezone

from upload.models import Job
from upload.states import JobState

SILENT_SECONDS = 15  # a worker that lives beats every second
SHORTEST_SPAN_MS = 1000

# Attempt, milliseconds of its heartbeat, bytes done by then; or nothing.
type Mark = tuple[int, ...]


def mark(job: Job) -> Mark:
    """Return where the job stands, to be compared with where it stands later."""
    return job.attempts, milliseconds(job.heartbeat_at), job.bytes_done


def milliseconds(at: datetime | None) -> int:
    return int(at.timestamp() * 1000) if at else 0


@dataclass(frozen=True, slots=True)
class Rate:
    """Bytes a second; ``recent`` over the last seconds, otherwise since the start."""

    bytes_a_second: float = 0.0
    recent: bool = False


def rate(job: Job, earlier: Mark = ()) -> Rate:
    """Return the recent rate where the mark tells it, else the mean; 0 is unknown."""
    if job.state == JobState.RUNNING:
        if is_silent(job):
            return Rate()
        if found := _recent(job, earlier):
            return found
    if job.started_at is None or job.state == JobState.QUEUED:
        return Rate()
    until = job.finished_at or timezone.now()
    return Rate(job.bytes_done / max((until - job.started_at).total_seconds(), 1.0))


def _recent(job: Job, earlier: Mark) -> Rate | None:
    """Return None where the mark is of another attempt, or no beat came since."""
    attempt, at_ms, bytes_done = earlier or (0, 0, 0)
    span_ms = milliseconds(job.heartbeat_at) - at_ms
    moved = job.bytes_done - bytes_done
    if attempt != job.attempts or span_ms < SHORTEST_SPAN_MS or moved < 0:
        return None
    return Rate(moved * 1000 / span_ms, recent=True)


def is_silent(job: Job) -> bool:
    """Return whether a running job's worker has given no sign for too long."""
    if job.state != JobState.RUNNING or job.heartbeat_at is None:
        return False
    return seconds(timezone.now() - job.heartbeat_at) > SILENT_SECONDS


def seconds(span: timedelta) -> int:
    """Return whole seconds, never below zero: two clocks need not agree."""
    return max(int(span.total_seconds()), 0)
