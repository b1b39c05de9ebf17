"""What a legal hold forbids, and the sentences that say so; reads only.

``hold_count`` on the session's own row counts its active holds, those of its
submissions included. It is part of each conditional UPDATE that would let files go, so
a hold placed at the same instant either wins or finds the files on their way out.
"""

from typing import Any

from django.utils.formats import date_format
from django.utils.timezone import localtime

from upload.errors import IllegalTransition, MunimentError
from upload.states import SessionStatus, Verb
from upload.wording import gettext as _
from upload.wording import joined

# Verbs and states that let files go.
DISPOSING = frozenset({Verb.EXPIRE, Verb.REMOVE, Verb.REMOVE_FILE})
DISPOSED = frozenset({SessionStatus.EXPIRED, SessionStatus.REMOVING_IN_PROGRESS})
MAX_NAMED = 5


class OnHold(IllegalTransition):
    """A session is under legal hold, so its files and its row must stay.

    ``holds`` says for each hold who placed it, when and why.
    """

    code = "on_hold"

    def __init__(self, session: str, asked: str, holds: str) -> None:
        self.session, self.found, self.asked = session, "on hold", asked
        self.hint = _("Ask who may lift holds, or leave the session as it is.")
        MunimentError.__init__(
            self,
            _(
                "Session %(session)s is under legal hold, so it cannot %(asked)s. "
                "%(holds)s Everything stays until every hold is lifted."
            )
            % {"session": session, "asked": asked, "holds": holds},
        )


def blocks(verb: Verb, session: Any) -> bool:
    """Return whether a hold forbids ``verb``, by the instance as it was read."""
    return verb in DISPOSING and session.hold_count > 0


def is_held(session: Any) -> bool:
    """Ask the row, as the instance may be older."""
    rows = type(session).objects.filter(pk=session.pk, hold_count__gt=0)
    return bool(rows.exists())


def active(session: Any) -> Any:
    """Return the holds on the session and on its submissions, the oldest first."""
    holds: Any = session.hold_set.model
    return holds.objects.active().on_session(session).order_by("pk")


def sentence(hold: Any) -> str:
    """Say of one hold who placed it, when and why."""
    facts = {
        "who": hold.placed_by_name or _("the system"),
        "when": date_format(localtime(hold.placed_at), "SHORT_DATE_FORMAT"),
        "why": hold.reason.rstrip().rstrip(".。"),
    }
    if hold.submission_id:
        facts["submission"] = hold.submission_title
        return (
            _("Submission “%(submission)s” held by %(who)s since %(when)s: %(why)s.")
            % facts
        )
    return _("Held by %(who)s since %(when)s: %(why)s.") % facts


def sentences(session: Any) -> str:
    """Return the sentences of the first few holds as one text."""
    return joined((sentence(hold) for hold in active(session)[:MAX_NAMED]), " ")


def refusal(session: Any, asked: str) -> OnHold:
    return OnHold(str(session.uuid), asked, sentences(session))


def require_none(session: Any, asked: str) -> None:
    """Raise ``OnHold`` where the session's row says that it is held."""
    if is_held(session):
        raise refusal(session, asked)
