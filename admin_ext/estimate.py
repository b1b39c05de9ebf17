"""How long a job will roughly take, by what the last jobs of its kind took.

Reads the newest ``NEWEST`` jobs, by an index. Those whose files are nearest in size to
the ones at hand tell: for small files their number counts, for large ones the bytes.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from math import log

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from upload.models import Job
from upload.states import JobKind, JobState

NEWEST = 500
NEAREST = 10
# Below this a job's time says more of its start than of its files.
LEAST_SECONDS = 0.05
SHORT_SECONDS, MINUTE, HOUR = 10, 60, 3600


@dataclass(frozen=True, slots=True)
class Took:
    """What one job did, and in how many seconds."""

    files: int
    size_bytes: int
    seconds: float


def experience(kind: JobKind) -> list[Took]:
    """Return the newest jobs of the kind that did all of their work in one attempt."""
    newest = Job.objects.order_by("-created_at", "-pk").values_list(
        "kind", "state", "attempts", "files_done", "bytes_done", "entered_at",
        "finished_at",
    )[:NEWEST]  # fmt: skip
    return [
        Took(files, size, max((end - start).total_seconds(), LEAST_SECONDS))
        for found, state, attempts, files, size, start, end in newest
        if (found, state, attempts) == (kind, JobState.SUCCEEDED, 1)
        and files
        and start
        and end
    ]


def seconds(known: Iterable[Took], files: int, size_bytes: int) -> float | None:
    """Return how long so many files and bytes take; None where nothing is known."""
    if not files:
        return None
    ours = _mean_size(files, size_bytes)

    def distance(took: Took) -> float:
        return abs(log(_mean_size(took.files, took.size_bytes) / ours))

    alike = sorted(known, key=distance)[:NEAREST]
    if not alike:
        return None
    spent = sum(took.seconds for took in alike)
    by_files = spent / sum(took.files for took in alike) * files
    moved = sum(took.size_bytes for took in alike)
    by_bytes = spent / moved * size_bytes if moved else by_files
    return (by_files + by_bytes) / 2


def _mean_size(files: int, size_bytes: int) -> float:
    return max(size_bytes / files, 1.0)


def text(kind: str, files: int, size_bytes: int) -> str:
    """Return for example ``about 3 minutes``; empty where nothing is known."""
    if kind not in JobKind.values:
        return ""
    found = seconds(experience(JobKind(kind)), files, size_bytes)
    return "" if found is None else words(found)


def words(found: float) -> str:
    if found < SHORT_SECONDS:
        return _("a few seconds")
    if found < MINUTE:
        return _("less than a minute")
    if found < 2 * HOUR:
        minutes = round(found / MINUTE)
        return ngettext(
            "about %(count)d minute", "about %(count)d minutes", minutes
        ) % {"count": minutes}
    hours = round(found / HOUR)
    return ngettext("about %(count)d hour", "about %(count)d hours", hours) % {
        "count": hours
    }
