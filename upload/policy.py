"""Who may do which verb, on which session, in which state: one table, one question.

Asked by the admin (to show a button), by ``jobs`` (when a job is requested and again
when it starts) and by the HTTP views. ``actor`` None is the system itself: commands,
schedules and the model's own methods, which no permission binds, only states.
"""

from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext_lazy

from upload import conf, legal_hold, wording
from upload.errors import (
    IllegalTransition,
    NotPermitted,
    ReasonMissing,
    SessionSubmitted,
)
from upload.plain_sql import has_row
from upload.states import OPEN, SessionStatus, Verb
from upload.wording import gettext as _

_S = SessionStatus


@dataclass(frozen=True, slots=True)
class Rule:
    """Permission names lack the ``upload.`` prefix; ``own`` binds to own sessions."""

    permission: str
    origins: frozenset[SessionStatus]
    own_permission: str = ""


RULES: dict[Verb, Rule] = {
    Verb.UPLOAD: Rule("upload_uploadsession", OPEN, "upload_own_uploadsession"),
    Verb.REMOVE_FILE: Rule(
        "upload_uploadsession", frozenset({_S.UPLOADING}), "upload_own_uploadsession"
    ),
    Verb.EXPIRE: Rule("expire_uploadsession", OPEN),
    Verb.STORE: Rule(
        "store_uploadsession", frozenset({_S.UPLOADING, _S.COPYING_FAILED})
    ),
    Verb.COPY: Rule("copy_uploadsession", frozenset({_S.STORED})),
    Verb.REMOVE: Rule(
        "remove_uploadsession",
        frozenset({_S.UPLOADING, _S.STORED, _S.COPYING_FAILED}),
    ),
    Verb.RETRY: Rule(
        "store_uploadsession", frozenset({_S.COPYING_FAILED, _S.STORED, _S.UPLOADING})
    ),
    Verb.VERIFY: Rule("verify_uploadsession", frozenset({_S.STORED})),
    Verb.HOLD: Rule("hold_uploadsession", frozenset(_S) - legal_hold.DISPOSED),
    Verb.LIFT: Rule("lift_hold_uploadsession", frozenset(_S)),
}

TEMPORARY_DOWNLOAD = "download_temporary_uploadsession"

# What a session that may not cannot do, for the sentence “so it cannot …”.
DEEDS = {
    Verb.UPLOAD: gettext_lazy("take files"),
    Verb.REMOVE_FILE: gettext_lazy("give up a temporary file"),
    Verb.EXPIRE: gettext_lazy("expire"),
    Verb.STORE: gettext_lazy("be stored"),
    Verb.COPY: gettext_lazy("be copied"),
    Verb.REMOVE: gettext_lazy("have its files removed"),
    Verb.RETRY: gettext_lazy("be retried"),
    Verb.VERIFY: gettext_lazy("be verified"),
    Verb.HOLD: gettext_lazy("be held"),
    Verb.LIFT: gettext_lazy("have its holds lifted"),
}

PERMISSIONS: tuple[tuple[str, Any], ...] = (
    ("view_own_uploadsession", "Can view own upload sessions"),
    ("upload_uploadsession", "Can upload into any session"),
    ("upload_own_uploadsession", "Can upload into own sessions"),
    ("expire_uploadsession", "Can expire upload sessions"),
    ("store_uploadsession", "Can store upload sessions"),
    ("copy_uploadsession", "Can copy upload sessions to a destination"),
    ("remove_uploadsession", "Can remove the files of upload sessions"),
    ("approve_removal_uploadsession", "Can approve the removal of stored files"),
    ("verify_uploadsession", "Can verify the files of upload sessions"),
    ("hold_uploadsession", "Can place legal holds"),
    ("lift_hold_uploadsession", "Can lift legal holds"),
    ("export_uploadsession", "Can export session reports"),
    (TEMPORARY_DOWNLOAD, "Can download temporary files"),
    ("download_uploadsession", "Can download permanent files"),
)


def may_view(actor: Any, session: Any) -> bool:
    """Return whether ``actor`` may see the session at all; if not, answer 404."""
    if actor.has_perm("upload.view_uploadsession"):
        return True
    own = session.user_id == actor.pk
    return own and bool(actor.has_perm("upload.view_own_uploadsession"))


def may_open_session(actor: Any) -> bool:
    """Return whether ``actor`` may start a session of their own."""
    rule = RULES[Verb.UPLOAD]
    names = (rule.permission, rule.own_permission)
    return any(actor.has_perm(f"upload.{name}") for name in names)


def may_download(actor: Any, session: Any, *, stored: bool) -> bool:
    """Return whether ``actor`` may open a permanent or temporary file of the session.

    Stored files are closed to their owner unless UPLOADERS_MAY_DOWNLOAD_STORED is on.
    """
    permission = "download_uploadsession" if stored else TEMPORARY_DOWNLOAD
    if actor.has_perm(f"upload.{permission}"):
        return True
    own = session.user_id == actor.pk and may_view(actor, session)
    return own and (not stored or conf.uploaders_may_download_stored())


def has_right(actor: Any, verb: Verb, session: Any) -> bool:
    """Return whether ``actor`` holds the permission for ``verb`` on this session."""
    if actor is None:
        return True
    rule = RULES[verb]
    if not actor.is_active:
        return False
    if actor.has_perm(f"upload.{rule.permission}"):
        return True
    own = bool(rule.own_permission) and session.user_id == actor.pk
    return own and bool(actor.has_perm(f"upload.{rule.own_permission}"))


def require_right(actor: Any, verb: Verb, session: Any) -> None:
    """Raise ``NotPermitted`` where ``actor`` may not do ``verb`` on this session."""
    if not has_right(actor, verb, session):
        raise NotPermitted(
            _(
                "%(actor)s may not do “%(verb)s” on session %(session)s. Ask an "
                "administrator for the permission “%(permission)s”."
            )
            % {
                "actor": actor,
                "verb": verb.label,
                "session": session.uuid,
                "permission": f"upload.{RULES[verb].permission}",
            }
        )


def require_reason(actor: Any, reason: str) -> None:
    """Raise ``ReasonMissing`` where a person disposes of files without saying why."""
    if actor is not None and not reason.strip():
        raise ReasonMissing(_("Write the reason: it is kept for good."))


def is_in_hand(actor: Any, session: Any) -> bool:
    """Return whether ``actor`` may still change the files: not a submitted session's.

    Who may work on any session goes on; ``actor`` None is a token.
    """
    if actor is not None and actor.has_perm(f"upload.{RULES[Verb.UPLOAD].permission}"):
        return True
    submissions = session.submission_set.model
    return not has_row(submissions, upload_session_id=session.pk)


def require_in_hand(actor: Any, session: Any) -> None:
    """Raise ``SessionSubmitted`` where its sender has given it away."""
    if not is_in_hand(actor, session):
        raise SessionSubmitted(
            _(
                "Session %(session)s was submitted, so its files stay as they are. The "
                "records staff take it from here."
            )
            % {"session": session.uuid}
        )


def may_submit(actor: Any, session: Any) -> bool:
    """Return whether ``actor`` may describe the session and submit it."""
    if actor.has_perm("upload.add_submission"):
        return may_view(actor, session)
    own = RULES[Verb.UPLOAD].own_permission
    return session.user_id == actor.pk and bool(actor.has_perm(f"upload.{own}"))


def is_legal(verb: Verb, status: str) -> bool:
    """Return whether ``verb`` can start from ``status``."""
    return status in RULES[verb].origins


def require_state(verb: Verb, session: Any) -> None:
    """Raise ``IllegalTransition`` where the session's state does not allow ``verb``.

    A legal hold, asked of the row, makes it ``OnHold``.
    """
    if verb in legal_hold.DISPOSING:
        legal_hold.require_none(session, wording.label(DEEDS[verb]))
    if not is_legal(verb, session.status):
        raise _not_legal(verb, session)


def refusal(verb: Verb, session: Any) -> IllegalTransition | None:
    """Return what ``require_state`` would raise, by the instance as it was read."""
    if legal_hold.blocks(verb, session):
        return legal_hold.refusal(session, wording.label(DEEDS[verb]))
    return None if is_legal(verb, session.status) else _not_legal(verb, session)


def _not_legal(verb: Verb, session: Any) -> IllegalTransition:
    return IllegalTransition(
        session=str(session.uuid),
        found=wording.label(SessionStatus(session.status).label),
        asked=wording.label(DEEDS[verb]),
        allowed=words(RULES[verb].origins),
    )


def words(states: frozenset[SessionStatus]) -> str:
    """Return the states as one line of words, in the order of the table."""
    labels = (s.label for s in SessionStatus if s in states)
    return wording.joined(map(wording.label, labels), ", ")


def legal_verbs(actor: Any, session: Any) -> list[Verb]:
    """Return the verbs that are legal now and that ``actor`` may do."""
    return [
        verb
        for verb in Verb
        if is_legal(verb, session.status)
        and not legal_hold.blocks(verb, session)
        and has_right(actor, verb, session)
    ]
