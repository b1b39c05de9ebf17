"""The ways by which a verb reaches a session; each tells what one person is answered.

What a person's try has changed is rolled back, so that all try the same session.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from django.db import transaction
from django.http import HttpResponse
from django.test import Client
from django.urls import reverse

from admin_ext.verbs import BULK_VERBS
from tests.admin_ext.choosing import LIST, facts
from tests.admin_ext.matrix import DENIED, HIDDEN, STATE, YES
from tests.make import make_job, make_session, make_upload, set_status
from upload import holding, intake, orders, tasks
from upload.errors import IllegalTransition, NotPermitted
from upload.intake import Sender
from upload.models import Destination, Job, LegalHold, UploadSession
from upload.orders import Wish
from upload.states import JobKind, JobState, SessionStatus, Verb

S = SessionStatus
ABSENT = "absent"


@dataclass(frozen=True, slots=True)
class Try:
    """One person's try to do a verb; ``person`` None is the system."""

    person: Any
    client: Client
    verb: Verb
    session: UploadSession
    destination: Destination


type Channel = Callable[[Try], str]


def ready_for(
    verb: Verb, state: SessionStatus, owner: Any, destination: Destination
) -> UploadSession:
    """Return a session in ``state`` with all that ``verb`` asks beside the state."""
    if verb in {Verb.UPLOAD, Verb.REMOVE_FILE, Verb.LIFT}:
        session = make_session(S.UPLOADING, {"a.txt": b"alpha"}, owner)
        if verb == Verb.LIFT:
            holding.place(session, None, "Case 12")
        set_status(session, state)
        return session
    session = make_session(state, {"a.txt": b"alpha"}, owner)
    Job.objects.all().delete()  # what stored it, and the first check that waits
    if verb == Verb.RETRY:
        kind = JobKind.COPY if state == S.STORED else JobKind.STORE
        values = {"destination": destination} if kind == JobKind.COPY else {}
        make_job(session, kind, state=JobState.FAILED, **values)
    return session


def tried(channel: Channel, one: Try) -> str:
    """Return the answer to one try, as if it had never been."""
    with transaction.atomic():
        fresh = UploadSession.objects.get(pk=one.session.pk)
        answer = channel(replace(one, session=fresh))
        transaction.set_rollback(True)
    return answer


def _everything() -> list[Any]:
    return [*facts(), *LegalHold.objects.values_list()]


def answered(response: HttpResponse, *, changed: bool) -> str:
    """Return the answer of the admin; senders are asked to sign in as staff."""
    if response.status_code in {403, 404}:
        assert not changed
        return str(response.status_code)
    if response.status_code == 302 and "login" in response["Location"]:
        assert not changed
        return DENIED
    return YES if changed else STATE


def service(one: Try) -> str:
    try:
        if one.verb == Verb.UPLOAD:
            intake.require_may_send(one.session, Sender(one.person))
        else:
            data = {"reason": "Sent twice", "destination": one.destination}
            BULK_VERBS[one.verb].act(one.session, one.person, data)
    except NotPermitted:
        return DENIED
    except IllegalTransition:
        return STATE
    return YES


def _form(destination: Destination) -> dict[str, Any]:
    return {"confirm": "1", "reason": "Sent twice", "destination": destination.pk}


def bulk_action(one: Try) -> str:
    chosen = {
        "action": BULK_VERBS[one.verb].action,
        "_selected_action": [one.session.pk],
    }
    before = _everything()
    response = one.client.post(LIST, chosen | _form(one.destination))
    return answered(response, changed=_everything() != before)


def page_address(one: Try) -> str:
    """Look by GET, which changes nothing, and do it by POST."""
    url = reverse(
        "admin:upload_uploadsession_verb", args=[one.session.pk, one.verb.value]
    )
    before = _everything()
    seen = one.client.get(url)
    assert _everything() == before
    done = one.client.post(url, _form(one.destination))
    answer = answered(done, changed=_everything() != before)
    if answer in {DENIED, HIDDEN}:
        assert seen.status_code == done.status_code
    return answer


def button(one: Try) -> str:
    """Tell whether the session page offers the verb."""
    url = reverse("admin:upload_uploadsession_change", args=[one.session.pk])
    response = one.client.get(url)
    if response.status_code != 200:
        return answered(response, changed=False)
    shown = {row.verb for row in response.context["buttons"]}
    return YES if one.verb in shown else ABSENT


def bulk_order(one: Try) -> str:
    """Draft, confirm and run an order for the one session, as for many."""
    chosen = UploadSession.objects.filter(pk=one.session.pk)
    before = _everything()
    try:
        order = orders.draft(one.verb.value, chosen, one.person)
        assert _everything() == before
        orders.confirm(order, one.person, Wish("Sent twice", one.destination))
        tasks.run_order(order.pk)
    except NotPermitted:
        assert _everything() == before
        return DENIED
    return YES if _everything() != before else STATE


def endpoint(one: Try) -> str:
    """Send or remove one file as a script does."""
    files = reverse("upload:files", args=[one.session.uuid])
    if one.verb == Verb.UPLOAD:
        response = one.client.post(files, {"file": make_upload("new.txt")})
    else:
        file = one.session.tempuploadedfile_set.get()
        response = one.client.delete(f"{files}{file.uuid}/")
    return in_words(response)


def tus(one: Try) -> str:
    """Begin a resumable upload."""
    url = reverse("upload:tus", args=[one.session.uuid])
    headers = {
        "Tus-Resumable": "1.0.0",
        "Upload-Length": "5",
        "Upload-Metadata": "filename bmV3LnR4dA==",
    }
    pieces = "application/offset+octet-stream"
    return in_words(one.client.generic("POST", url, b"", pieces, headers=headers))


def in_words(response: HttpResponse) -> str:
    if response.status_code in {200, 201, 204}:
        return YES
    return STATE if response.status_code in {409, 410} else str(response.status_code)
