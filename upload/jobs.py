"""Ask for jobs, approve, cancel and retry them; moves no byte itself.

The admin, the HTTP views and the commands call these. A job's id is queued when the
transaction that made it commits; what is lost between is found by ``recovery``.
"""

import logging
from contextlib import closing
from functools import partial
from typing import Any

from django.db import transaction
from django.utils import timezone

from upload import conf, copy, events, execution, fixity, policy, queues
from upload.errors import (
    DestinationRefused,
    IllegalTransition,
    MunimentError,
    NotPermitted,
)
from upload.events import Cause
from upload.models import Job, UploadSession
from upload.states import (
    MOVING_KINDS,
    JobKind,
    JobState,
    Outcome,
    SessionStatus,
    Verb,
)
from upload.wording import gettext as _
from upload.wording import noted

logger = logging.getLogger(__name__)


def request(
    session: UploadSession,
    kind: JobKind,
    actor: Any,
    *,
    destination: Any = None,
    reason: str = "",
) -> Job:
    """Make a job for ``actor`` (None: the system) and queue it on commit.

    Raise ``NotPermitted``, ``ReasonMissing`` where a person removes without saying why,
    ``IllegalTransition``, ``SessionBusy`` or, where a destination cannot be written to,
    ``DestinationRefused`` or ``OSError``: then nothing has changed. The removal of
    stored files waits for a second person where REMOVAL_NEEDS_APPROVAL is on.
    """
    require_possible(session, kind, actor, destination=destination, reason=reason)
    return place(session, kind, actor, destination=destination, reason=reason)


def require_possible(
    session: UploadSession,
    kind: JobKind,
    actor: Any,
    *,
    destination: Any = None,
    reason: str = "",
) -> None:
    """Ask all that can be asked before the job is made; may ask a destination.

    Raise as ``request`` does, but for ``SessionBusy``, which only the insert can tell.
    """
    policy.require_right(actor, Verb(kind), session)
    if kind == JobKind.REMOVE:
        policy.require_reason(actor, reason)
    if kind == JobKind.COPY:
        _require_destination(destination, session)
    elif destination is not None:
        require_enabled(destination)


def place(session: UploadSession, kind: JobKind, actor: Any, **values: Any) -> Job:
    """Insert a job that ``require_possible`` has let pass, and queue it on commit.

    ``values`` are columns of the job. Raise ``IllegalTransition`` or ``SessionBusy``.
    """
    waits = _waits_for_approval(session, kind)
    with transaction.atomic():
        job: Job = execution.insert_job(
            session,
            kind,
            requester=actor,
            state=JobState.AWAITING_APPROVAL if waits else JobState.QUEUED,
            **values,
        )
        cause = Cause(actor=actor, job=job, reason=job.reason)
        _tell(job, f"{kind}_requested", cause)
        if not waits:
            enqueue(job)
    return job


def _require_destination(destination: Any, session: UploadSession) -> None:
    if destination is None:
        raise DestinationRefused(_("Choose an enabled destination to copy to."))
    require_enabled(destination)
    with closing(destination.target()) as target:
        copy.check(target, session, destination)


def require_enabled(destination: Any) -> None:
    """Raise ``DestinationRefused`` where nothing may be copied there now."""
    if not destination.enabled:
        raise DestinationRefused(
            _("Destination “%(name)s” is not enabled. Choose another.")
            % {"name": destination.name}
        )


def _waits_for_approval(session: UploadSession, kind: JobKind) -> bool:
    stored = session.status != SessionStatus.UPLOADING
    return kind == JobKind.REMOVE and stored and conf.removal_needs_approval()


def _tell(
    job: Job, code: str, cause: Cause, outcome: Outcome = Outcome.SUCCESS
) -> None:
    if job.session is not None:
        events.record(job.session, code, "decision", cause, outcome)


def enqueue(job: Job) -> None:
    """Queue the job's id when the present transaction commits."""
    Job.objects.filter(pk=job.pk).update(enqueued_at=timezone.now())
    transaction.on_commit(partial(queues.push_job, job.pk), robust=True)


def approve(job: Job, actor: Any, reason: str = "", order: Any = None) -> None:
    """Let a removal that waits start; the requester may not approve it.

    ``order`` is the bulk order that approves it, which from then on counts the job.
    Raise ``NotPermitted``, or ``IllegalTransition``, which is ``OnHold`` where a legal
    hold was placed meanwhile.
    """
    _require_may_approve(job, actor)
    if job.session is not None:
        policy.require_state(Verb(job.kind), job.session)
    with transaction.atomic():
        _leave(
            job,
            [JobState.AWAITING_APPROVAL],
            JobState.QUEUED,
            approver=actor,
            approved_at=timezone.now(),
            order=order or job.order,
        )
        _tell(job, f"{job.kind}_approved", Cause(actor, job, reason))
        enqueue(job)


def decline(job: Job, actor: Any, reason: str) -> None:
    """Refuse a removal that waits; the session keeps its files.

    Raise ``NotPermitted``, ``ReasonMissing`` or ``IllegalTransition``.
    """
    _require_may_approve(job, actor)
    policy.require_reason(actor, reason)
    text = _("Refused by %(who)s: %(why)s") % {"who": actor, "why": reason}
    with transaction.atomic():
        _leave(
            job,
            [JobState.AWAITING_APPROVAL],
            JobState.CANCELLED,
            finished_at=timezone.now(),
            **noted(MunimentError(text)) | {"error_code": "declined"},
        )
        _tell(job, f"{job.kind}_declined", Cause(actor, job, reason), Outcome.WARNING)


def _require_may_approve(job: Job, actor: Any) -> None:
    if not may_approve(job, actor):
        raise NotPermitted(
            _(
                "%(actor)s may not decide on job %(job)s: it takes the right to "
                "approve removals, and somebody other than who asked."
            )
            % {"actor": actor, "job": job.uuid}
        )


def may_approve(job: Job, actor: Any) -> bool:
    """Return whether ``actor`` is a second person with the right to approve."""
    right = actor.has_perm("upload.approve_removal_uploadsession")
    return bool(right) and job.requester_id != actor.pk


def may_cancel(job: Job, actor: Any) -> bool:
    """Return whether ``actor`` could have asked for this job, or could approve it."""
    if job.session is None:
        return False
    return policy.has_right(actor, Verb(job.kind), job.session) or (
        job.state == JobState.AWAITING_APPROVAL and may_approve(job, actor)
    )


def can_stop(job: Job) -> bool:
    """Return whether a cancel would still end the job before its work is done."""
    if job.state in {JobState.AWAITING_APPROVAL, JobState.QUEUED}:
        return not job.was_started or job.kind != JobKind.REMOVE
    return job.state == JobState.RUNNING and job.kind != JobKind.REMOVE


def cancel(job: Job, actor: Any, reason: str = "") -> None:
    """Stop the job: at once where it waits, at its next heartbeat where it runs.

    One that waits between two attempts is queued now, to come to its end. A running
    removal only rolls forward. Raise ``NotPermitted``, or ``IllegalTransition`` where
    the job has ended or cannot be stopped any more.
    """
    if not may_cancel(job, actor):
        raise NotPermitted(
            _("%(actor)s may not cancel job %(job)s.")
            % {"actor": actor, "job": job.uuid}
        )
    cause = Cause(actor=actor, job=job, reason=reason)
    with transaction.atomic():
        _tell(job, f"{job.kind}_cancel_requested", cause)
        if _cancel_waiting(job):
            return
        _cancel_started(job)


def _cancel_waiting(job: Job) -> bool:
    """End a job that no attempt has started; its session has not moved."""
    waiting = Job.objects.filter(
        pk=job.pk,
        state__in=[JobState.AWAITING_APPROVAL, JobState.QUEUED],
        entered_at__isnull=True,
    )
    now = timezone.now()
    return bool(
        waiting.update(
            state=JobState.CANCELLED, finished_at=now, cancel_requested_at=now
        )
    )


def _cancel_started(job: Job) -> None:
    started = Job.objects.filter(
        pk=job.pk, state__in=[JobState.QUEUED, JobState.RUNNING]
    ).exclude(kind=JobKind.REMOVE)
    now = timezone.now()
    if not started.update(cancel_requested_at=now):
        job.refresh_from_db()
        raise IllegalTransition(
            session=str(job.session_uuid),
            found=str(job.get_state_display()),
            asked=_("cancel this job"),
            allowed=_("a job that waits, or a running copy"),
        )
    # Only an attempt can end it; the next may be minutes away.
    if started.filter(state=JobState.QUEUED).update(next_run_at=now):
        enqueue(job)


def _leave(job: Job, origins: list[JobState], target: JobState, **values: Any) -> None:
    """Move the job by compare-and-set; ``IllegalTransition`` where it has moved on."""
    rows = Job.objects.filter(pk=job.pk, state__in=origins)
    if not rows.update(state=target, **values):
        job.refresh_from_db()
        raise IllegalTransition(
            session=str(job.session_uuid),
            found=str(job.get_state_display()),
            asked=str(target.label),
            allowed=", ".join(str(s.label) for s in origins),
        )
    job.refresh_from_db()


def retry(job: Job, actor: Any) -> Job:
    """Ask again for what a failed or cancelled job did not do; return the new job."""
    if job.session is None or job.state not in {JobState.FAILED, JobState.CANCELLED}:
        raise IllegalTransition(
            session=str(job.session_uuid),
            found=str(job.get_state_display()),
            asked=_("retry this job"),
            allowed=_("a failed or cancelled job"),
        )
    with transaction.atomic():
        anew = request(
            job.session,
            JobKind(job.kind),
            actor,
            destination=job.destination,
            reason=reason_to_retry(job),
        )
        if job.kind == JobKind.VERIFY:  # the others find by the bytes what is done
            fixity.take_over(job, anew)
    return anew


def reason_to_retry(job: Job) -> str:
    """Return the reason of the job, which those that the system made may lack."""
    return job.reason or _("Retry of job %(job)s.") % {"job": job.uuid}


def last_failed(session: UploadSession) -> Job | None:
    """Return the newest job that moved bytes if it failed or was cancelled."""
    moved = session.job_set.filter(kind__in=MOVING_KINDS)
    newest: Job | None = moved.order_by("-pk").first()
    if newest and newest.state in {JobState.FAILED, JobState.CANCELLED}:
        return newest
    return None


def active_job(session: UploadSession) -> Job | None:
    """Return the job that moves the session or waits to, if any."""
    job: Job | None = session.job_set.moving().first()
    return job
