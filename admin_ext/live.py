"""The figures of a job that the script on the pages asks for every two seconds."""

from typing import Any

from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from admin_ext.visible import visible
from upload import quantities
from upload.models import Job
from upload.states import JobState


def figures(job: Job) -> dict[str, Any]:
    """Return what the script writes: ``texts`` by the name of their place."""
    return {
        "uuid": str(job.uuid),
        "state": job.state,
        "percent": job.percent,
        "running": job.state == JobState.RUNNING,
        "ended": job.has_ended,
        "summary": summary(job),
        "texts": texts(job),
    }


def summary(job: Job) -> str:
    """Return one line for a list: the percentage while running, else the state."""
    if job.state == JobState.RUNNING:
        return f"{job.percent} %"
    return str(job.get_state_display())


def texts(job: Job) -> dict[str, str]:
    """Return the changing texts of the job page by name; all are plain text."""
    return {
        "state": str(job.get_state_display()),
        "percent": f"{job.percent} %",
        "files": _("%(done)d of %(total)d")
        % {"done": job.files_done, "total": job.files_total},
        "bytes": _("%(done)s of %(total)s")
        % {
            "done": quantities.size_text(job.bytes_done),
            "total": quantities.size_text(job.bytes_total),
        },
        "current_file": visible(job.current_file) or "-",
        "rate": rate_text(job) or "-",
        "attempts": str(job.attempts),
        "worker": job.lease_owner or "-",
        "heartbeat": _ago(job.heartbeat_at),
        "error": visible(job.error) or "-",
    }


def rate_text(job: Job) -> str:
    """Return the mean rate since the first attempt started; empty before."""
    if job.started_at is None or not job.bytes_done:
        return ""
    until = job.finished_at or timezone.now()
    seconds = max((until - job.started_at).total_seconds(), 1.0)
    size = quantities.size_text(int(job.bytes_done / seconds))
    return _("%(size)s per second") % {"size": size}


def _ago(at: Any) -> str:
    if at is None:
        return "-"
    seconds = max(int((timezone.now() - at).total_seconds()), 0)
    if seconds > 3600:
        return date_format(timezone.localtime(at), "SHORT_DATETIME_FORMAT")
    return _("%(seconds)d s ago") % {"seconds": seconds}
