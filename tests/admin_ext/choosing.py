"""Choosing sessions in the list and doing an action, as a browser posts it."""

from typing import Any

from django.test import Client

from admin_ext.verbs import BULK_VERBS
from tests.make import make_job, make_session, set_status
from upload import holding
from upload.models import Job, SessionEvent, UploadSession
from upload.states import JobKind, JobState, SessionStatus

S = SessionStatus
LIST = "/admin/upload/uploadsession/"
ACTIONS = [row.action for row in BULK_VERBS.values()]


def choose(client: Client, action: str, *sessions: UploadSession, **more: Any) -> Any:
    """Post the action as the list does; with ``confirm`` as the preview does."""
    if "confirm" not in more:
        more["index"] = "0"
    ids = [session.pk for session in sessions]
    return client.post(LIST, {"action": action, "_selected_action": ids, **more})


def confirm(client: Client, action: str, *sessions: UploadSession, **more: Any) -> Any:
    more.setdefault("reason", "Sent twice")  # what many previews ask for
    response = choose(client, action, *sessions, confirm="1", **more)
    return client.get(response.url) if response.status_code == 302 else response


def texts(response: Any) -> str:
    return " ".join(str(message) for message in response.context["messages"])


def ready_for(action: str) -> UploadSession:
    """Return a session on which the action can start now."""
    if action == "copy_sessions":
        return make_session(S.STORED)
    if action == "verify_sessions":
        session = make_session(S.STORED)
        Job.objects.filter(kind=JobKind.VERIFY).delete()  # its first check
        return session
    session = make_session(S.UPLOADING)
    if action == "lift_sessions":
        holding.place(session, None, "Case 12")
    if action == "retry_sessions":
        make_job(session, JobKind.STORE, state=JobState.FAILED)
        set_status(session, S.COPYING_FAILED)
    return session


def facts() -> list[Any]:
    sessions = UploadSession.objects.order_by("pk").values_list()
    return [*sessions, *Job.objects.values_list(), SessionEvent.objects.count()]
