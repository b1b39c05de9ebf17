"""What needs a person: each group with its first rows and the action beside them.

Reads only, by indexes. A group is given to whoever may open what it links to; an action
to whoever may do it.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.db.models import Max
from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone
from django.utils.text import Truncator
from django.utils.translation import gettext as _

from admin_ext import columns
from admin_ext.previews import with_titles
from admin_ext.read_only import of_visible_sessions
from admin_ext.visible import visible
from upload import jobs, policy
from upload.filters import expiring_soon
from upload.models import Destination, FileCopy, Job, PermUploadedFile, UploadSession
from upload.states import JobKind, JobState, Verb

SHOWN = 5
MOST_CHARACTERS = 200
LOOKED_AT = 30
FAILURES_FOR = timedelta(days=30)
PROBE_GROWS_STALE_AFTER = timedelta(hours=24)


@dataclass(frozen=True, slots=True)
class Need:
    """One thing; ``action`` and ``action_url`` are empty where nothing can be done."""

    text: str
    url: str
    minor: str = ""
    action: str = ""
    action_url: str = ""
    title: str = ""  # what people call the session


@dataclass(frozen=True, slots=True)
class Group:
    title: str
    icon: str
    needs: list[Need]
    more_url: str = ""  # where there are more than are shown


def groups(request: HttpRequest) -> list[Group]:
    """Return the groups in which something needs somebody, most pressing first."""
    found = [ask(request) for ask in ASKED]
    return [group for group in found if group and group.needs]


def _group(title: str, icon: str, needs: list[Need], more_url: str) -> Group:
    shown = needs[:SHOWN]
    return Group(title, icon, shown, more_url if len(needs) > SHOWN else "")


def _list_url(model: str, query: str = "") -> str:
    return reverse(f"admin:upload_{model}_changelist") + query


def _session_url(pk: int | None) -> str:
    return reverse("admin:upload_uploadsession_change", args=[pk]) if pk else ""


def _verb_url(request: HttpRequest, verb: Verb, session: UploadSession) -> str:
    """Return where the verb is previewed; empty where the person may not do it."""
    if not policy.has_right(request.user, verb, session):
        return ""
    return reverse("admin:upload_uploadsession_verb", args=[session.pk, verb.value])


def _short(uuid: Any) -> str:
    return str(uuid)[:8]


def _title(session: Any) -> str:
    """Return the title that ``titled`` found; empty where the session has none."""
    return _brief((session and session.title) or "")


def _brief(text: str) -> str:
    """Return as much of a text as fits on the front page."""
    return Truncator(visible(text)).chars(MOST_CHARACTERS)


def removals(request: HttpRequest) -> Group | None:
    if not request.user.has_perm("upload.view_job"):
        return None
    waiting = of_visible_sessions(Job.objects.all(), request).filter(
        state=JobState.AWAITING_APPROVAL
    )
    rows = waiting.select_related("requester").order_by("next_run_at")[: SHOWN + 1]
    query = f"?state={JobState.AWAITING_APPROVAL.value}"
    needs = [_removal(request, job) for job in with_titles(rows)]
    more = _list_url("job", query)
    return _group(_("Removals waiting for approval"), "how_to_reg", needs, more)


def _removal(request: HttpRequest, job: Job) -> Need:
    url = reverse("admin:upload_job_change", args=[job.pk])
    asker = job.requester.get_username() if job.requester else "-"
    text = _("%(session)s, asked by %(person)s") % {
        "session": _short(job.session_uuid),
        "person": visible(asker),
    }
    action = _("Review") if jobs.may_approve(job, request.user) else ""
    minor, review = _brief(job.reason), url if action else ""
    return Need(text, url, minor, action, review, _title(job.session))


def fixity(request: HttpRequest) -> Group | None:
    if not request.user.has_perm("upload.view_permuploadedfile"):
        return None
    needs: list[Need] = []
    for model in (PermUploadedFile, FileCopy):
        bad = model._default_manager.filter(fixity_failed_at__isnull=False)
        rows = of_visible_sessions(bad, request).order_by("-fixity_failed_at")
        shown = with_titles(rows[: SHOWN + 1])
        needs += [_damaged(request, row) for row in shown]
    more = _list_url("sessionevent")
    return _group(_("Damaged or missing files"), "heart_broken", needs, more)


def _damaged(request: HttpRequest, row: Any) -> Need:
    session, place = row.session, getattr(row, "target_root", "")
    found = columns.moment(row.fixity_failed_at)
    url = _session_url(session and session.pk)
    check = _verb_url(request, Verb.VERIFY, session) if session and not place else ""
    text = visible(row.name) + (f" · {visible(place)}" if place else "")
    action = _("Verify again") if check else ""
    return Need(text, url, found, action, check, _title(session))


def failed_jobs(request: HttpRequest) -> Group | None:
    """Jobs that failed lately and after which no other was asked for."""
    if not request.user.has_perm("upload.view_job"):
        return None
    since = timezone.now() - FAILURES_FOR
    rows = of_visible_sessions(Job.objects.all(), request).filter(
        state=JobState.FAILED, next_run_at__gt=since, session__isnull=False
    )
    newest = with_titles(rows.order_by("-next_run_at")[:LOOKED_AT])
    last = dict(
        Job.objects.filter(session__in=[job.session_id for job in newest])
        .order_by()
        .values_list("session")
        .annotate(Max("pk"))
    )
    needs = [_failure(request, j) for j in newest if last[j.session_id] == j.pk]
    query = f"?state={JobState.FAILED.value}"
    return _group(_("Failed jobs"), "error", needs, _list_url("job", query))


def _failure(request: HttpRequest, job: Job) -> Need:
    text = f"{job.get_kind_display()} {_short(job.session_uuid)}"
    url = reverse("admin:upload_job_change", args=[job.pk])
    may = policy.has_right(request.user, Verb(job.kind), job.session)
    # The verb looks for the last job that moved bytes; a check is retried on its page.
    retry = url
    if may and job.session and job.kind != JobKind.VERIFY:
        retry = _verb_url(request, Verb.RETRY, job.session) or url
    minor, action = _brief(job.error_shown), _("Retry") if may else ""
    return Need(text, url, minor, action, retry, _title(job.session))


def expiring(request: HttpRequest) -> Group | None:
    sessions, by = UploadSession.objects, "last_upload_interaction_time"
    soon = expiring_soon(sessions.visible_to(request.user)).order_by(by)
    # Titles are looked up for these few, and not for all that are to be sorted.
    few = sessions.filter(pk__in=soon.values("pk")[: SHOWN + 1])
    rows = few.titled().select_related("user").order_by(by)
    needs = [_expiring(request, session) for session in rows]
    more = _list_url("uploadsession", "?expiry=soon")
    return _group(_("Sessions that expire soon"), "timer", needs, more)


def _expiring(request: HttpRequest, session: UploadSession) -> Need:
    who = session.user.get_username() if session.user else "-"
    text = f"{_short(session.uuid)} · {visible(who)}"
    verb = Verb.STORE if session.total_files else Verb.EXPIRE
    legal = policy.is_legal(verb, session.status)
    url = _verb_url(request, verb, session) if legal else ""
    words = columns.expiry_words(session)[1]
    label = {Verb.STORE: _("Store"), Verb.EXPIRE: _("Expire")}[verb]
    own, action = _session_url(session.pk), label if url else ""
    return Need(text, own, words, action, url, _title(session))


def destinations(request: HttpRequest) -> Group | None:
    """Enabled destinations that failed their last probe, or had none for a day."""
    if not request.user.has_perm("upload.view_destination"):
        return None
    old = timezone.now() - PROBE_GROWS_STALE_AFTER
    needs = [
        _stale(request, place)
        for place in Destination.objects.enabled().order_by("name")
        if not place.last_probe.get("ok")
        or place.last_probed_at is None
        or place.last_probed_at < old
    ]
    return _group(
        _("Destinations to look at"), "drive_file_move", needs, _list_url("destination")
    )


def _stale(request: HttpRequest, place: Destination) -> Need:
    url = reverse("admin:upload_destination_change", args=[place.pk])
    minor = _brief(place.probe_error_shown)
    if place.last_probed_at is None:
        minor = _("It was never probed.")
    elif not minor:
        minor = _("It was not probed for a day or longer.")
    may = request.user.has_perm("upload.change_destination")
    probe = reverse("admin:upload_destination_probe", args=[place.pk]) if may else ""
    return Need(visible(place.name), url, minor, _("Probe") if probe else "", probe)


ASKED: tuple[Callable[[HttpRequest], Group | None], ...] = (
    fixity,
    removals,
    failed_jobs,
    expiring,
    destinations,
)
