"""Run one job: claim it, move its session, do the verb, write the end.

Called by the worker with a job that was queued, and by the model's own methods, which
make a job and run it at once. Queues nothing itself but the first fixity check.
"""

import logging
from collections.abc import Callable
from contextlib import closing
from datetime import timedelta
from pathlib import Path
from typing import Any

from django.db import IntegrityError, connection, transaction
from django.utils import timezone

from upload import (
    certificates,
    conf,
    copy,
    events,
    fixity,
    lease,
    policy,
    remove,
    store,
    transitions,
)
from upload.ends import CODES, ENDS
from upload.errors import (
    DestinationRefused,
    IllegalTransition,
    JobCancelled,
    JobFailed,
    LeaseLost,
    MunimentError,
    NotPermitted,
    SessionBusy,
    WorkerStopping,
)
from upload.events import Cause
from upload.lease import Work
from upload.states import (
    JOB_MOVING,
    JOB_ORIGINS,
    JobKind,
    JobState,
    Outcome,
    SessionStatus,
    Verb,
)
from upload.targets import FolderTarget, Target
from upload.wording import gettext as _
from upload.wording import noted

logger = logging.getLogger(__name__)

# No further attempt can mend these: the job fails at once.
PERMANENT = (
    DestinationRefused,
    FileNotFoundError,
    IllegalTransition,
    JobFailed,
    NotADirectoryError,
    NotPermitted,
    PermissionError,
)


def note_opened(session: Any) -> None:
    """Record that a session was opened, in the transaction that inserts it."""
    events.record(session, "opened", "accession", Cause(actor=session.user))


def target_of(job: Any) -> Target:
    """Return where a copy job writes to."""
    if job.destination_id:
        if not job.destination.enabled:
            raise DestinationRefused(
                _("Destination “%(name)s” is not enabled. Choose another.")
                % {"name": job.destination.name}
            )
        return job.destination.target()
    return FolderTarget(Path(job.target_folder), allowed_roots=None)


def execute(job: Any, *, last_attempt: bool = False) -> bool:
    """Run one attempt of the job; return whether it was ours to run.

    May be called at any time and any number of times: only a claim starts work. A
    failure that a later attempt may mend releases the job; ``last_attempt`` fails it.
    Everything else that goes wrong is written to the job; only what the caller must
    not swallow (a queue's timeout, a keyboard interrupt) is raised again.
    """
    work = _start(job)
    if work is None:
        return False
    try:
        _run_verb(work)
        _finish(work, JobState.SUCCEEDED)
    except LeaseLost:
        logger.warning("Job %s: lease lost, another attempt has it.", job.uuid)
    except WorkerStopping:
        work.release(timedelta(0), counted=False)
    except JobCancelled as error:
        _finish(work, JobState.CANCELLED, error)
    except PERMANENT as error:
        _finish(work, JobState.FAILED, error)
    except Exception as error:  # noqa: BLE001 - a job's outer edge: kept on the row
        _release_or_fail(work, error, last_attempt=last_attempt)
    except BaseException as error:
        _release_or_fail(work, error, last_attempt=last_attempt)
        raise
    return True


def _start(job: Any) -> Work | None:
    """Claim the job and move its session in one transaction; None if not ours."""
    try:
        with transaction.atomic():
            work = lease.claim(job)
            if work is not None:
                _require_still_permitted(job)
                _enter(work)
    except (IllegalTransition, NotPermitted) as error:
        _fail_unstarted(job, error)
        return None
    return work


def _require_still_permitted(job: Any) -> None:
    """Ask the requester's rights again: they may have changed since the request.

    Not once the session has moved: what was begun must come to a legal end.
    """
    if job.was_started:
        return
    if job.requester is not None:
        policy.require_right(job.requester, Verb(job.kind), job.session)
    elif job.event_set.filter(actor=None).exclude(actor_name="").exists():
        raise NotPermitted(
            _("Who asked for this job is not known here any more. Ask for it again.")
        )


def _require_approval(job: Any, origin: SessionStatus) -> None:
    """Refuse a person's removal of what was stored after it had been asked for."""
    stored = job.kind == JobKind.REMOVE and origin != SessionStatus.UPLOADING
    asked_alone = job.requester_id is not None and job.approver_id is None
    if stored and asked_alone and conf.removal_needs_approval():
        raise NotPermitted(
            _(
                "The files of session %(session)s were stored meanwhile, so a second "
                "person has to approve their removal. Ask for it again."
            )
            % {"session": job.session_uuid}
        )


def _enter(work: Work) -> None:
    """Move the session to the job's moving state, or note that an attempt resumes.

    A verification moves no session.
    """
    job, session = work.job, work.session
    if job.kind == JobKind.VERIFY:
        if not job.was_started:
            job.note_started()
        return
    told = {"kind": job.kind, "attempt": job.attempts}
    cause = Cause(job=job, detail=told, code=CODES[job.kind].started)
    moving = JOB_MOVING[job.kind]
    if session.status == moving and job.was_started:
        events.record(session, f"{job.kind}_resumed", "transfer", cause)
        return
    origin = transitions.move(
        session,
        moving,
        cause,
        allowed=JOB_ORIGINS[job.kind],
    )
    _require_approval(job, origin)
    job.note_started()


def _fail_unstarted(job: Any, error: MunimentError) -> None:
    """End a job that may not start, where it still waits; the session is untouched."""
    waiting = type(job).objects.claimable().filter(pk=job.pk)
    with transaction.atomic():
        if waiting.update(
            state=JobState.FAILED,
            **noted(error),
            finished_at=timezone.now(),
            lease_until=None,
            lease_owner="",
        ):
            job.refresh_from_db()
            cause = Cause(job=job, reason=str(error), detail={"kind": job.kind})
            events.record(
                job.session,
                f"{job.kind}_refused",
                "transfer",
                cause,
                Outcome.FAILURE,
            )


def _run_verb(work: Work) -> None:
    work.renew()  # notices at once that a cancel or a stop was asked for meanwhile
    if work.job.kind == JobKind.COPY:
        with closing(target_of(work.job)) as target:
            copy.run(work, target)
    elif work.job.kind == JobKind.VERIFY and work.job.destination_id:
        with closing(target_of(work.job)) as target:
            fixity.run(work, target)
    else:
        VERBS[JobKind(work.job.kind)](work)


VERBS: dict[JobKind, Callable[[Work], None]] = {
    JobKind.STORE: store.run,
    JobKind.REMOVE: remove.run,
    JobKind.VERIFY: fixity.run,
}


def _finish(work: Work, state: JobState, error: Exception | None = None) -> None:
    """Write the end of the job and the session's last move in one transaction."""
    good = state == JobState.SUCCEEDED
    try:
        with work.fenced():
            if work.job.kind == JobKind.REMOVE and not good:
                remove.roll_forward(work)
            work.end(state, **noted(error))
            _note_end(work, str(error) if error else "", good=good)
    except LeaseLost:
        logger.warning("Job %s: lease lost at its end.", work.job.uuid)
        return
    work.job.refresh_from_db()
    logger.info("Job %s (%s) ended: %s.", work.job.uuid, work.job.kind, state)


def _note_end(work: Work, reason: str, *, good: bool) -> None:
    kind = work.job.kind
    outcome = Outcome.SUCCESS if good else Outcome.FAILURE
    if kind == JobKind.VERIFY:
        fixity.note_end(work, outcome, reason)
        return
    ends, codes = ENDS[kind], CODES[kind]
    code = codes.succeeded if good else codes.failed
    transitions.move(
        work.session,
        ends.succeeded if good else ends.failed,
        Cause(job=work.job, reason=reason, detail=_account(work), code=code),
        allowed=[JOB_MOVING[kind]],
        outcome=outcome,
    )
    if kind == JobKind.REMOVE:
        work.job.refresh_from_db()
        certificates.certify(work.job)
    if kind == JobKind.STORE and good:
        fixity.queue_first_check(work.session)


def _account(work: Work) -> dict[str, Any]:
    """Return what the last event tells of the bytes; the job's items tell of each."""
    told = {"files": work.files_done, "size_bytes": work.bytes_done}
    if work.job.destination_id:
        told["destination"] = work.job.destination.name
    elif work.job.target_folder:
        told["destination"] = work.job.target_folder
    return told


def _release_or_fail(work: Work, error: BaseException, *, last_attempt: bool) -> None:
    """Give the job back for a later attempt, or fail it after the last."""
    logger.exception("Job %s, attempt %d failed.", work.job.uuid, work.job.attempts)
    _drop_lost_connection()
    if last_attempt or work.job.attempts >= conf.job_max_attempts():
        _finish(work, JobState.FAILED, _as_exception(error))
        return
    work.release(conf.job_retry_delay(work.job.attempts), **noted(error))


def _drop_lost_connection() -> None:
    """Let the next query connect anew, or the job would wait for its lease to end."""
    lost = connection.errors_occurred and not connection.in_atomic_block
    if lost and not connection.is_usable():
        connection.close()


def _as_exception(error: BaseException) -> Exception:
    return error if isinstance(error, Exception) else JobFailed(repr(error))


def give_up(job: Any) -> bool:
    """Fail a job that has had its attempts; False where it is somebody's again."""
    with transaction.atomic():
        work = lease.claim_to_end(job)
        if work is None:
            return False
        reason = job.error_kept or _("its worker died")
        if not job.was_started:
            told = noted(JobFailed(reason)) | {"error_code": "attempts_exhausted"}
            work.end(JobState.FAILED, **told)
            return True
        error = JobFailed(
            _("Given up after %(count)d attempts: %(reason)s")
            % {"count": job.attempts, "reason": reason}
        )
        _finish(work, JobState.FAILED, error)
    return True


def insert_job(session: Any, kind: JobKind, **values: Any) -> Any:
    """Insert a job after checking the session's state.

    Raise ``IllegalTransition``, or ``SessionBusy`` where another job is active: the
    database's partial unique constraint decides between parallel callers.
    """
    policy.require_state(Verb(kind), session)
    try:
        with transaction.atomic():
            return session.job_set.create(
                kind=kind,
                session_uuid=session.uuid,
                files_total=session.total_files,
                bytes_total=session.total_size_bytes,
                **values,
            )
    except IntegrityError as error:
        raise SessionBusy(
            _(
                "Session %(session)s already has a job waiting or running. Wait for "
                "it or cancel it first."
            )
            % {"session": session.uuid}
        ) from error
