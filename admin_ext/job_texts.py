"""The changing words of a job's page; each is plain text in the reader's language."""

from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from admin_ext.job_rate import Rate, is_silent, seconds
from admin_ext.visible import visible
from upload import conf, quantities
from upload.models import Job
from upload.states import JobState

ANNOUNCED_STEP = 25


def summary(job: Job) -> str:
    """Return one line for a list: the percentage while running, else the state."""
    if job.state == JobState.RUNNING:
        return _percent(job.percent)
    return str(job.get_state_display())


def _percent(percent: int) -> str:
    return f"{percent} %"


def texts(job: Job, speed: Rate) -> dict[str, str]:
    """Return the changing texts of the job page by name; all are plain text."""
    return {
        "state": str(job.get_state_display()),
        "percent": _percent(job.percent),
        "files": files_text(job),
        "bytes": _("%(done)s of %(total)s")
        % {
            "done": quantities.size_text(job.bytes_done),
            "total": quantities.size_text(job.bytes_total),
        },
        "current_file": visible(job.current_file) or "-",
        "rate": rate_text(speed) or "-",
        "time_left": time_left(job, speed) or "-",
        "attempts": _("%(done)d of %(total)d")
        % {"done": job.attempts, "total": conf.job_max_attempts()},
        "worker": job.lease_owner or "-",
        "heartbeat": heartbeat_text(job),
        "next_run": next_run(job) or "-",
        "error": error_text(job) or "-",
        "note": note(job),
        "announcement": announcement(job),
    }


def files_text(job: Job) -> str:
    return _("%(done)d of %(total)d") % {
        "done": job.files_done,
        "total": job.files_total,
    }


def error_text(job: Job) -> str:
    """Return why the job failed, or why its last attempt did while another runs."""
    reason = visible(job.error_shown)
    if not reason or job.has_ended:
        return reason
    return _("The attempt before failed: %(reason)s") % {"reason": reason}


def rate_text(speed: Rate) -> str:
    if not speed.bytes_a_second and not speed.recent:
        return ""
    size = quantities.size_text(int(speed.bytes_a_second))
    if speed.recent:
        return _("%(size)s per second") % {"size": size}
    return _("%(size)s per second on average") % {"size": size}


def time_left(job: Job, speed: Rate) -> str:
    """Return a rough guess while the job runs; empty where none can be made."""
    if job.state != JobState.RUNNING or speed.bytes_a_second < 1:
        return ""
    left = int((job.bytes_total - job.bytes_done) / speed.bytes_a_second)
    if left < 90:
        return _("about %(count)d s") % {"count": left}
    if left < 90 * 60:
        return _("about %(count)d min") % {"count": round(left / 60)}
    return _("about %(count)d h") % {"count": round(left / 3600)}


def next_run(job: Job) -> str:
    """Return when a job that waits runs; empty where it does not wait for a worker."""
    if job.state != JobState.QUEUED:
        return ""
    wait = seconds(job.next_run_at - timezone.now())
    if not wait:
        return _("as soon as a worker is free")
    return _("in %(seconds)d s") % {"seconds": wait}


def note(job: Job) -> str:
    """Return what a person must know of the attempts; empty where all is well."""
    if job.cancel_requested_at and not job.has_ended:
        return _("Asked to stop.")
    if is_silent(job):
        return _(
            "The worker gives no sign of life. Another attempt takes over when its "
            "lease has run out."
        )
    if job.state == JobState.RUNNING and job.attempts > 1:
        return _(
            "Attempt %(number)d started. It keeps the files that are done and starts "
            "the others again."
        ) % {"number": job.attempts}
    if job.state == JobState.QUEUED and job.attempts:
        return _(
            "Attempt %(number)d did not finish; the next one follows by itself."
        ) % {"number": job.attempts}
    return ""


def announcement(job: Job) -> str:
    """Return what a screen reader says; it changes seldom, so that it can be heard."""
    state = str(job.get_state_display())
    if job.state != JobState.RUNNING:
        return f"{state}. {note(job)}".strip()
    step = job.percent // ANNOUNCED_STEP * ANNOUNCED_STEP
    return f"{state}, {_percent(step)}. {note(job)}".strip()


def heartbeat_text(job: Job) -> str:
    if job.heartbeat_at is None:
        return "-"
    ago = seconds(timezone.now() - job.heartbeat_at)
    if ago > 3600:
        local = timezone.localtime(job.heartbeat_at)
        return date_format(local, "SHORT_DATETIME_FORMAT")
    return _("%(seconds)d s ago") % {"seconds": ago}
