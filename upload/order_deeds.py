"""What a bulk order does to one session, but for expiring: ask for its own job, or act.

``check`` may ask a destination and runs outside any transaction; ``act`` writes rows
only and runs in the transaction that settles the item.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from upload import holding, jobs, policy
from upload.errors import IllegalTransition
from upload.models import BulkItem, BulkOrder, Job, UploadSession
from upload.order_items import gone
from upload.states import JobKind, JobState, OrderOutcome, OrderVerb
from upload.wording import gettext as _

KINDS = {
    OrderVerb.STORE: JobKind.STORE,
    OrderVerb.COPY: JobKind.COPY,
    OrderVerb.REMOVE: JobKind.REMOVE,
    OrderVerb.VERIFY: JobKind.VERIFY,
}
# These fill the queue, so they are asked for some at a time.
QUEUEING = frozenset({*KINDS, OrderVerb.RETRY, OrderVerb.APPROVE})


@dataclass(slots=True)
class Case:
    """One session of an order in hand, and who asked."""

    order: BulkOrder
    actor: Any
    item: BulkItem
    session: UploadSession


def check(case: Case) -> None:
    """Raise where the deed is not possible now, before any transaction is open."""
    if not policy.may_view(case.actor, case.session):
        raise gone()
    if asked := _asked(case):
        kind, destination, reason = asked
        jobs.require_possible(
            case.session, kind, case.actor, destination=destination, reason=reason
        )


def act(case: Case) -> None:
    """Do the deed and write what became of it to the item, unsaved.

    Raise what the core raises where the session does not allow it.
    """
    if asked := _asked(case):
        _ask(case, *asked)
    else:
        DIRECT[OrderVerb(case.order.verb)](case)


def _asked(case: Case) -> tuple[JobKind, Any, str] | None:
    """Return kind, destination and reason of the job to ask for, None for no job."""
    order = case.order
    if order.verb == OrderVerb.RETRY:
        failed = jobs.last_failed(case.session)
        if failed is None:
            raise _nothing_failed(case.session)
        return JobKind(failed.kind), failed.destination, jobs.reason_to_retry(failed)
    kind = KINDS.get(OrderVerb(order.verb))
    return None if kind is None else (kind, order.destination, order.reason)


def _nothing_failed(session: UploadSession) -> IllegalTransition:
    return IllegalTransition(
        session=str(session.uuid),
        found=_("without a failed job"),
        asked=_("be retried"),
        allowed=str(JobState.FAILED.label),
    )


def _ask(case: Case, kind: JobKind, destination: Any, reason: str) -> None:
    job = jobs.place(
        case.session,
        kind,
        case.actor,
        destination=destination,
        reason=reason,
        order=case.order,
    )
    case.item.outcome, case.item.job_uuid = OrderOutcome.QUEUED, job.uuid


def _hold(case: Case) -> None:
    holding.place(case.session, case.actor, case.order.reason)
    case.item.outcome = OrderOutcome.DONE


def _lift(case: Case) -> None:
    holding.require_right_to_lift(case.actor)
    holding.lift_all(case.session, case.actor, case.order.reason)
    case.item.outcome = OrderOutcome.DONE


def _approve(case: Case) -> None:
    job = _job_to_decide(case)
    jobs.approve(job, case.actor, case.order.reason, order=case.order)
    case.item.outcome = OrderOutcome.QUEUED


def _decline(case: Case) -> None:
    jobs.decline(_job_to_decide(case), case.actor, case.order.reason)
    case.item.outcome = OrderOutcome.DONE


def _job_to_decide(case: Case) -> Job:
    uuid = case.item.job_uuid
    job = Job.objects.filter(uuid=uuid).first() if uuid else None
    if job is None:
        raise gone()
    return job


DIRECT: dict[OrderVerb, Callable[[Case], None]] = {
    OrderVerb.HOLD: _hold,
    OrderVerb.LIFT: _lift,
    OrderVerb.APPROVE: _approve,
    OrderVerb.DECLINE: _decline,
}
