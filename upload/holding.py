"""Place and lift legal holds, each with an event; a hold is never deleted.

The session's row is held while its holds are counted anew, so a removal or an expiry at
the same instant comes either before, and then the hold is refused, or not at all.
"""

from typing import Any

from django.db import transaction
from django.utils import timezone

from upload import events, legal_hold, policy, transitions
from upload.errors import IllegalTransition, NotPermitted, ReasonMissing
from upload.events import Cause
from upload.states import SessionStatus, Verb
from upload.wording import gettext as _


def place(session: Any, actor: Any, reason: str) -> Any:
    """Put a hold on the session and return it.

    Raise ``NotPermitted``, ``ReasonMissing``, or ``IllegalTransition`` where its files
    are being removed or have been.
    """
    policy.require_right(actor, Verb.HOLD, session)
    _require_reason(reason)
    with transaction.atomic():
        transitions.hold(session)
        _require_holdable(session)
        hold = session.hold_set.create(
            subject_uuid=session.uuid, **_placed(actor, reason)
        )
        recount(session)
        _record(session, "hold_placed", hold, actor, reason)
    return hold


def place_on_submission(submission: Any, actor: Any, reason: str) -> Any:
    """Put a hold on the submission, and by it on its session; see ``place``."""
    require_right_to_place(actor)
    _require_reason(reason)
    with transaction.atomic():
        held = type(submission).objects.select_for_update(no_key=True, of=("self",))
        session = held.get(pk=submission.pk).upload_session
        if session is not None:
            transitions.hold(session)
            _require_holdable(session)
        hold = submission.hold_set.create(
            subject_uuid=submission.uuid,
            submission_title=str(submission)[:400],
            **_placed(actor, reason),
        )
        if session is not None:
            recount(session)
            _record(session, "hold_placed", hold, actor, reason)
    return hold


def lift(hold: Any, actor: Any, reason: str) -> None:
    """Lift one hold; the others and the row of this one stay.

    Raise ``NotPermitted``, ``ReasonMissing`` or, where it is lifted, ``ValueError``.
    """
    require_right_to_lift(actor)
    _require_reason(reason)
    session = session_of(hold)
    with transaction.atomic():
        if session is not None:
            transitions.hold(session)
        _write_lifted(hold, actor, reason)
        if session is not None:
            recount(session)
            _record(session, "hold_lifted", hold, actor, reason)


def lift_all(session: Any, actor: Any, reason: str) -> int:
    """Lift every active hold on the session and its submissions; return how many."""
    holds = list(legal_hold.active(session))
    if not holds:
        raise _nothing_to_lift(session)
    with transaction.atomic():
        for hold in holds:
            lift(hold, actor, reason)
    session.refresh_from_db(fields=["hold_count"])
    return len(holds)


def _nothing_to_lift(session: Any) -> IllegalTransition:
    return IllegalTransition(
        session=str(session.uuid),
        found=_("under no hold"),
        asked=str(policy.DEEDS[Verb.LIFT]),
        allowed=_("on hold"),
    )


def session_of(hold: Any) -> Any:
    """Return the session that the hold keeps, or None."""
    return hold.submission.upload_session if hold.submission else hold.session


def may_place(actor: Any) -> bool:
    return _may(actor, Verb.HOLD)


def may_lift(actor: Any) -> bool:
    return _may(actor, Verb.LIFT)


def _may(actor: Any, verb: Verb) -> bool:
    permission = f"upload.{policy.RULES[verb].permission}"
    return actor is None or bool(actor.is_active and actor.has_perm(permission))


def require_right_to_place(actor: Any) -> None:
    if not may_place(actor):
        raise NotPermitted(_("%(actor)s may not place legal holds.") % {"actor": actor})


def require_right_to_lift(actor: Any) -> None:
    if not may_lift(actor):
        raise NotPermitted(_("%(actor)s may not lift legal holds.") % {"actor": actor})


def _require_reason(reason: str) -> None:
    if not reason.strip():
        raise ReasonMissing(_("Write the reason: it is kept for good."))


def _require_holdable(session: Any) -> None:
    """Read the status under the lock: a removal may have started meanwhile."""
    session.refresh_from_db(fields=["status"])
    policy.require_state(Verb.HOLD, session)


def _placed(actor: Any, reason: str) -> dict[str, Any]:
    name = actor.get_username() if actor else ""
    return {"placed_by": actor, "placed_by_name": name, "reason": reason.strip()}


def _write_lifted(hold: Any, actor: Any, reason: str) -> None:
    rows = type(hold).objects.active().filter(pk=hold.pk)
    changed = rows.update(
        lifted_at=timezone.now(),
        lifted_by=actor,
        lifted_by_name=actor.get_username() if actor else "",
        lift_reason=reason.strip(),
    )
    hold.refresh_from_db()
    if not changed:
        raise IllegalTransition(
            session=str(hold.subject_uuid),
            found=_("under no hold"),
            asked=_("have this hold lifted, which was lifted before"),
            allowed=_("on hold"),
        )


def recount(session: Any) -> None:
    """Write how many active holds keep the session; its row is held by the caller."""
    count = legal_hold.active(session).order_by().count()
    type(session).objects.filter(pk=session.pk).update(hold_count=count)
    session.refresh_from_db(fields=["hold_count"])


def _record(session: Any, code: str, hold: Any, actor: Any, reason: str) -> None:
    told = {"hold": str(hold.uuid)}
    if hold.submission_id:
        told["submission"] = str(hold.subject_uuid)
    cause = Cause(actor=actor, reason=reason.strip(), detail=told)
    events.record(session, code, "policy assignment", cause)


def require_may_move(submission: Any, session: Any) -> None:
    """Raise where a held submission would leave its session, or come to one too late.

    ``session`` is the one it is to have, or None. Reads only.
    """
    if submission.pk is None or not submission.hold_set.active().exists():
        return
    before = type(submission).objects.filter(pk=submission.pk).first()
    old = before.upload_session if before else None
    if old == session:
        return
    if old is not None:
        raise legal_hold.refusal(old, _("lose its submission"))
    if session.status in legal_hold.DISPOSED:
        raise IllegalTransition(
            session=str(session.uuid),
            found=str(SessionStatus(session.status).label),
            asked=str(policy.DEEDS[Verb.HOLD]),
            allowed=policy.words(policy.RULES[Verb.HOLD].origins),
        )


def save_submission(submission: Any, save: Any) -> None:
    """Save the submission by ``save()`` and count its session's holds anew."""
    with transaction.atomic():
        rows = type(submission).objects.select_for_update(no_key=True, of=("self",))
        rows.filter(pk=submission.pk).first()
        session = submission.upload_session
        if session is not None and submission.pk is not None:
            transitions.hold(session)
            session.refresh_from_db(fields=["status"])
        require_may_move(submission, session)
        save()
        if session is not None:
            recount(session)
