"""The figures of a job that the script on the pages asks for every two seconds.

The server keeps nothing between two questions: the script sends back what it was told,
``since`` (a mark some seconds old) and ``top`` (the furthest progress shown), so that
the rate is the recent one and no bar goes back when an attempt restarts a file.
"""

from dataclasses import dataclass
from typing import Any, Self

from django.http import QueryDict

from admin_ext import job_rate, job_texts
from upload.models import Job
from upload.states import JobState

MAX_DIGITS = 18


@dataclass(frozen=True, slots=True)
class Seen:
    """What a page was told before; what it sends back is not to be trusted.

    ``mark`` is that of ``job_rate``; ``top`` is the most files and bytes shown.
    """

    mark: tuple[int, ...] = ()
    top: tuple[int, ...] = ()

    @classmethod
    def of(cls, query: QueryDict) -> Self:
        return cls(_numbers(query.get("since"), 3), _numbers(query.get("top"), 2))


NOTHING_SEEN = Seen()


def _numbers(text: str | None, count: int) -> tuple[int, ...]:
    """Return the numbers of for example ``2-1700000000000-4096``, or nothing."""
    parts = (text or "").split("-")
    good = all(p.isascii() and p.isdigit() and len(p) <= MAX_DIGITS for p in parts)
    return tuple(map(int, parts)) if good and len(parts) == count else ()


def figures(job: Job, seen: Seen = NOTHING_SEEN) -> dict[str, Any]:
    """Return what the script writes: ``texts`` by the name of their place."""
    mark, rate = job_rate.mark(job), job_rate.rate(job, seen.mark)
    _hold(job, seen.top)
    return {
        "uuid": str(job.uuid),
        "state": job.state,
        "percent": job.percent,
        "running": job.state == JobState.RUNNING,
        "ended": job.has_ended,
        "summary": job_texts.summary(job),
        "texts": job_texts.texts(job, rate),
        "mark": _joined(mark),
        "top": _joined((job.files_done, job.bytes_done)),
    }


def _joined(numbers: tuple[int, ...]) -> str:
    return "-".join(map(str, numbers))


def _hold(job: Job, top: tuple[int, ...]) -> None:
    """Raise the progress of a job under way to what was shown of it; never saved."""
    if top and not job.has_ended:
        job.files_done = max(job.files_done, min(top[0], job.files_total))
        job.bytes_done = max(job.bytes_done, min(top[1], job.bytes_total))
