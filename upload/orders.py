"""Draft, confirm, cancel and wake bulk orders; does no verb itself.

The admin calls these. An order is drafted when its preview is shown: its sessions are
frozen, so what is confirmed is what was seen. Its id is queued when the confirmation
commits; what is lost between is found by ``recovery``.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from typing import Any

from django.db import transaction
from django.utils import timezone

from upload import jobs, order_plan, policy, queues
from upload.errors import DestinationRefused, IllegalTransition, NotPermitted
from upload.models import BulkItem, BulkOrder
from upload.states import JobState, OrderState, OrderVerb
from upload.wording import gettext as _

# So many jobs of one order may wait or run at once: others get their turn between.
MOST_JOBS = 200
FEW_JOBS = 100
KEEP_DRAFTS = timedelta(hours=24)
MAX_SELECTION = 4000

NEEDS_REASON = frozenset(
    {
        OrderVerb.EXPIRE,
        OrderVerb.REMOVE,
        OrderVerb.HOLD,
        OrderVerb.LIFT,
        OrderVerb.DECLINE,
    }
)


def has_right(actor: Any, verb: str) -> bool:
    """Return whether ``actor`` holds the permission that the verb takes."""
    allowed = actor is not None and actor.is_active
    return bool(allowed and actor.has_perm(order_plan.permission_of(verb)))


def require_right(actor: Any, verb: str) -> None:
    """Raise ``NotPermitted`` where ``actor`` may not do the verb, or is unknown."""
    if not has_right(actor, verb):
        raise NotPermitted(
            _(
                "%(actor)s may not do “%(verb)s” to upload sessions. Ask an "
                "administrator for the permission “%(permission)s”."
            )
            % {
                "actor": actor or _("Who asked"),
                "verb": OrderVerb(verb).label,
                "permission": order_plan.permission_of(verb),
            }
        )


def draft(verb: str, sessions: Any, actor: Any, selection: str = "") -> BulkOrder:
    """Freeze an order on ``sessions``, a queryset of those that the person may see.

    Nothing is done before ``confirm``. Raise ``NotPermitted``.
    """
    require_right(actor, verb)
    with transaction.atomic():
        order = BulkOrder.objects.create(
            verb=verb,
            requester=actor,
            requester_name=actor.get_username(),
            selection=selection[:MAX_SELECTION],
        )
        order.sessions_total = order_plan.freeze(order, sessions, actor)
        order.save(update_fields=["sessions_total"])
    return order


@dataclass(frozen=True, slots=True)
class Wish:
    """What the person adds when confirming."""

    reason: str = ""
    destination: Any = None


def confirm(order: BulkOrder, actor: Any, wish: Wish) -> None:
    """Let a draft run; only who drafted it may.

    Raise ``NotPermitted``, ``ReasonMissing``, ``DestinationRefused`` or, where it was
    confirmed before, ``IllegalTransition``.
    """
    require_right(actor, order.verb)
    if order.requester_id != actor.pk:
        raise NotPermitted(_("Only who drafted a bulk order may confirm it."))
    if order.verb in NEEDS_REASON:
        policy.require_reason(actor, wish.reason)
    if order.verb == OrderVerb.COPY:
        if wish.destination is None:
            raise DestinationRefused(_("Choose an enabled destination to copy to."))
        jobs.require_enabled(wish.destination)
    now = timezone.now()
    with transaction.atomic():
        drafts = BulkOrder.objects.filter(pk=order.pk, state=OrderState.DRAFT)
        if not drafts.update(
            state=OrderState.QUEUED,
            reason=wish.reason.strip(),
            destination=wish.destination,
            confirmed_at=now,
            next_run_at=now,
        ):
            raise _not_any_more(order, _("be confirmed"), OrderState.DRAFT)
        enqueue(order)
    order.refresh_from_db()


def _not_any_more(
    order: BulkOrder, asked: str, *allowed: OrderState
) -> IllegalTransition:
    order.refresh_from_db()
    return IllegalTransition(
        session=str(order.uuid),
        found=str(order.get_state_display()),
        asked=asked,
        allowed=", ".join(str(state.label) for state in allowed),
    )


def enqueue(order: BulkOrder) -> None:
    """Queue the order's id when the present transaction commits."""
    BulkOrder.objects.filter(pk=order.pk).update(enqueued_at=timezone.now())
    transaction.on_commit(partial(queues.push_order, order.pk), robust=True)


def may_cancel(order: BulkOrder, actor: Any) -> bool:
    """Return whether ``actor`` asked for the order, or could have asked for it."""
    own = order.requester_id == actor.pk and actor.is_active
    return own or has_right(actor, order.verb)


def can_stop(order: BulkOrder) -> bool:
    """Return whether a cancel would still leave sessions as they are."""
    return order.state in {OrderState.QUEUED, OrderState.RUNNING} and (
        order.cancel_requested_at is None
    )


def cancel(order: BulkOrder, actor: Any) -> None:
    """Stop the order before its next sessions; what is done stays done.

    Jobs that it has queued go on: each has its own cancel. Raise ``NotPermitted``, or
    ``IllegalTransition`` where the order has ended or was never confirmed.
    """
    if not may_cancel(order, actor):
        raise NotPermitted(
            _("%(actor)s may not cancel bulk order %(order)s.")
            % {"actor": actor, "order": order.uuid}
        )
    now = timezone.now()
    active = BulkOrder.objects.filter(
        pk=order.pk, state__in=[OrderState.QUEUED, OrderState.RUNNING]
    )
    with transaction.atomic():
        if not active.update(cancel_requested_at=now):
            raise _not_any_more(
                order, _("be cancelled"), OrderState.QUEUED, OrderState.RUNNING
            )
        # Only an attempt can end it; the next may be a minute away.
        if active.filter(state=OrderState.QUEUED).update(next_run_at=now):
            enqueue(order)
    order.refresh_from_db()


def room_for_jobs(order: BulkOrder) -> int:
    """Return how many more jobs the order may queue now; removals may wait at will."""
    return MOST_JOBS - _unfinished_jobs(order)


def _unfinished_jobs(order: BulkOrder) -> int:
    busy = order.job_set.filter(state__in=[JobState.QUEUED, JobState.RUNNING])
    return int(busy.order_by().count())


def wake(order: BulkOrder) -> None:
    """Let an order that waits for its jobs go on, where few of them are left."""
    if _unfinished_jobs(order) > FEW_JOBS:
        return
    now = timezone.now()
    asleep = BulkOrder.objects.filter(
        pk=order.pk, state=OrderState.QUEUED, next_run_at__gt=now
    )
    with transaction.atomic():
        if asleep.update(next_run_at=now):
            enqueue(order)


def drop_old_drafts(tell: Callable[[str], None]) -> int:
    """Delete drafts that nobody has confirmed for a day; return how many."""
    old = BulkOrder.objects.filter(
        state=OrderState.DRAFT, created_at__lt=timezone.now() - KEEP_DRAFTS
    )
    keys = list(old.values_list("pk", flat=True))
    for key in keys:
        with transaction.atomic():
            mine = BulkOrder.objects.select_for_update().filter(
                pk=key, state=OrderState.DRAFT
            )
            if mine.first() is not None:  # not confirmed a moment ago
                BulkItem.objects.filter(order=key).delete()
                mine.delete()
        tell(f"Draft {key} of a bulk order was deleted.")
    return len(keys)
