"""How long a verb will roughly take, by what the last jobs of its kind took.

Reads a bounded number of jobs, by an index. Those that are nearest to the work at hand
in files, and where bytes are moved in the files' size, tell. Where none of them was at
all like it, a plain pace is assumed, and said.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from math import log
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from upload import quantities
from upload.models import Job, RemovalCertificate
from upload.states import JobKind, JobState

# Jobs of any kind among which those of one are looked for; then how many are read.
NEWEST = 20_000
READ = 200
NEAREST = 10
# A job of so much fewer or more files says more of its start than of its pace.
FARTHEST = 100
# Below this a job's time says more of its start than of its files.
LEAST_SECONDS = 0.05
# What is assumed of a plain disk.
FILES_A_SECOND = 200
BYTES_A_SECOND = 50_000_000
SHORT_SECONDS, MINUTE, HOUR = 10, 60, 3600


@dataclass(frozen=True, slots=True)
class Took:
    """What one job did, and in how many seconds."""

    files: int
    size_bytes: int
    seconds: float


@dataclass(frozen=True, slots=True)
class Estimate:
    """For example ``about 3 minutes``, and what that comes from."""

    words: str
    source: str


def estimate(verb: str, sessions: int, files: int, size_bytes: int) -> Estimate | None:
    """Return how long the jobs take one after the other; None where nothing runs."""
    if verb not in JobKind.values or not (sessions and files):
        return None
    kind = JobKind(verb)
    # What is deleted is not read: its bytes take no time.
    work = Work(
        files / sessions, size_bytes / sessions if kind != JobKind.REMOVE else 0
    )
    found = seconds(experience(kind), work)
    if found is not None:
        source = _("By what such jobs took before, once it has started.")
        return Estimate(words(found * sessions), source)
    return Estimate(words(assumed(work) * sessions), _assumption(kind))


@dataclass(frozen=True, slots=True)
class Work:
    """What one job has to do; ``size_bytes`` is 0 where bytes take no time."""

    files: float
    size_bytes: float


def experience(kind: JobKind) -> list[Took]:
    """Return the newest jobs of the kind that did all of their work in one attempt."""
    rows = _newest(kind).filter(
        kind=kind,
        state=JobState.SUCCEEDED,
        attempts=1,
        files_done__gt=0,
        entered_at__isnull=False,
        finished_at__isnull=False,
    )
    told = rows.order_by("-pk").values_list(
        "files_done", "bytes_done", "entered_at", "finished_at"
    )
    return [
        Took(files, size, max((end - start).total_seconds(), LEAST_SECONDS))
        for files, size, start, end in told[:READ]
    ]


def _newest(kind: JobKind) -> Any:
    """Return the jobs to look at: removals are rare, and their certificates name them.

    Others are looked for among the newest alone, which checks may outnumber.
    """
    if kind == JobKind.REMOVE:
        named = RemovalCertificate.objects.order_by("-pk").values_list("job", flat=True)
        return Job.objects.filter(pk__in=list(named[:READ]))
    newest = Job.objects.order_by("-pk").values_list("pk", flat=True).first() or 0
    return Job.objects.filter(pk__gt=newest - NEWEST)


def seconds(known: Iterable[Took], work: Work) -> float | None:
    """Return how long one job takes; None where no job was like it."""
    alike = [
        took for took in known if 1 / FARTHEST <= took.files / work.files <= FARTHEST
    ]
    if not alike:
        return None
    alike = sorted(alike, key=lambda took: _distance(took, work))[:NEAREST]
    spent = sum(took.seconds for took in alike)
    by_files = spent / sum(took.files for took in alike) * work.files
    moved = sum(took.size_bytes for took in alike)
    if not (moved and work.size_bytes):
        return by_files
    return (by_files + spent / moved * work.size_bytes) / 2


def _distance(took: Took, work: Work) -> float:
    apart = abs(log(took.files / work.files))
    if not work.size_bytes:
        return apart
    theirs, ours = took.size_bytes / took.files, work.size_bytes / work.files
    return apart + abs(log(max(theirs, 1.0) / max(ours, 1.0)))


def assumed(work: Work) -> float:
    """Return how long one job takes at the assumed pace."""
    return work.files / FILES_A_SECOND + work.size_bytes / BYTES_A_SECOND


def _assumption(kind: JobKind) -> str:
    """Say from which pace the time was worked out."""
    pace = {"files": FILES_A_SECOND, "size": quantities.size_text(BYTES_A_SECOND)}
    if kind == JobKind.REMOVE:
        return _("No such job ran lately: %(files)d files a second are assumed.") % pace
    return (
        _("No such job ran lately: %(files)d files and %(size)s a second are assumed.")
        % pace
    )


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
