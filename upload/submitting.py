"""Describe a session's files in a draft, and make the draft a submission.

A session has one draft at most, and is submitted once. Submitting holds the session's
row, so that no upload, expiry or second submission comes between; after it the sender's
own hands are off the files (``policy.require_in_hand``) and no cleanup takes them. The
accession number is for the records staff to give.
"""

from dataclasses import dataclass
from typing import Any

from django.db import transaction
from django.db.models import Q
from django.utils.translation import gettext as _

from upload import events, policy, transitions
from upload.errors import (
    DraftRefused,
    IllegalTransition,
    NotPermitted,
    SessionSubmitted,
)
from upload.events import Cause
from upload.models import InProgressSubmission, Submission, UploadSession
from upload.states import SessionStatus

DESCRIBED = ("title", "source", "extent")


@dataclass(frozen=True, slots=True)
class Description:
    """What a person says of the files; values are clean and not too long."""

    title: str
    source: str = ""
    extent: str = ""

    def values(self) -> dict[str, str]:
        return {name: getattr(self, name) for name in DESCRIBED}


def reusable(user: Any) -> Any:
    """Return the person's drafts that lost their session: none, or an expired one."""
    gone = Q(upload_session=None) | Q(upload_session__status=SessionStatus.EXPIRED)
    return InProgressSubmission.objects.filter(gone, user=user)


def describe(session: UploadSession, actor: Any, description: Description) -> Any:
    """Write the session's draft and return it; may be run twice.

    Raise ``NotPermitted``, ``IllegalTransition`` or ``SessionSubmitted``.
    """
    with transaction.atomic():
        locked = _in_hand(session, actor)
        draft = InProgressSubmission.objects.filter(upload_session=locked).first()
        draft = draft or InProgressSubmission(upload_session=locked, user=actor)
        return _write(draft, locked, actor, description.values())


def reuse(session: UploadSession, actor: Any, draft: InProgressSubmission) -> Any:
    """Attach a ``reusable`` draft to the session, in the place of its own."""
    with transaction.atomic():
        locked = _in_hand(session, actor)
        chosen = reusable(actor).select_for_update(of=("self",)).filter(pk=draft.pk)
        if not (found := chosen.first()):
            raise DraftRefused(_("That description is not free any more. Reload."))
        InProgressSubmission.objects.filter(upload_session=locked).delete()
        found.upload_session = locked
        return _write(found, locked, actor, {})


def _write(draft: Any, session: Any, actor: Any, values: dict[str, str]) -> Any:
    for name, value in values.items():
        setattr(draft, name, value)
    draft.save()
    transitions.touch(session)
    told = Cause(actor=actor, detail={"draft": str(draft.uuid), "title": draft.title})
    events.record(session, "described", "metadata modification", told)
    return draft


def submit_session(session: UploadSession, actor: Any) -> Submission:
    """Submit the session by its draft; see ``submit``."""
    draft = InProgressSubmission.objects.filter(upload_session=session).first()
    if draft is None:
        # A second press of the button finds the first one's submission.
        with transaction.atomic():
            _in_hand(session, actor)
        raise DraftRefused(_("Say first what the files are: write a description."))
    return submit(draft, actor)


def submit(draft: InProgressSubmission, actor: Any) -> Submission:
    """Make the draft a submission of its session; the draft is gone then.

    Raise ``DraftRefused`` without a title, a session or files, ``NotPermitted``,
    ``IllegalTransition`` or ``SessionSubmitted``.
    """
    with transaction.atomic():
        held = InProgressSubmission.objects.select_related("upload_session")
        fresh = _complete(held.filter(pk=draft.pk).first())
        session = _in_hand(fresh.upload_session, actor)
        _require_files(session)
        return _submitted(fresh, session, actor)


def _submitted(draft: Any, session: UploadSession, actor: Any) -> Submission:
    values = {name: getattr(draft, name) for name in DESCRIBED}
    submission = Submission.objects.create(
        user=draft.user or actor, upload_session=session, **values
    )
    if not InProgressSubmission.objects.filter(pk=draft.pk).delete()[0]:
        raise DraftRefused(_("This draft is gone: it was submitted or deleted."))
    detail = {
        "submission": str(submission.uuid),
        "title": submission.title,
        "files": session.total_files,
        "size_bytes": session.total_size_bytes,
    }
    events.record(session, "submitted", "accession", Cause(actor=actor, detail=detail))
    return submission


def _complete(draft: Any) -> Any:
    if draft is None:
        raise DraftRefused(_("This draft is gone: it was submitted or deleted."))
    if not draft.title.strip():
        raise DraftRefused(_("The draft has no title. Write one and save it."))
    if draft.upload_session is None:
        raise DraftRefused(_("The draft has no upload session. Choose one."))
    return draft


def _require_files(session: UploadSession) -> None:
    if not session.total_files:
        raise DraftRefused(
            _("Session %(session)s holds no files. Upload them, then submit it.")
            % {"session": session.uuid}
        )


def _in_hand(session: Any, actor: Any) -> UploadSession:
    """Return the session, locked; raise where it is not to be described any more."""
    if not policy.may_submit(actor, session):
        raise NotPermitted(
            _("%(actor)s may not submit session %(session)s.")
            % {"actor": actor, "session": session.uuid}
        )
    locked: UploadSession = UploadSession.objects.select_for_update().get(pk=session.pk)
    if locked.status == SessionStatus.EXPIRED:
        raise IllegalTransition(
            session=str(locked.uuid),
            found=str(SessionStatus.EXPIRED.label),
            asked=_("be described or submitted"),
            allowed=policy.words(frozenset(SessionStatus) - {SessionStatus.EXPIRED}),
        )
    if locked.submission_set.exists():
        raise SessionSubmitted(
            _("Session %(session)s was submitted before.") % {"session": locked.uuid}
        )
    return locked
