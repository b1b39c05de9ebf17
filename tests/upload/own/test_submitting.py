"""A sender submits a session: what it needs, and what is closed by it."""

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from tests.make import make_session, set_status
from tests.upload.http import BOUNDARY, body_of, file_part, nothing_is_kept, post, told
from tests.upload.own.pages import SAID, address, text_of
from upload import intake
from upload.errors import SessionSubmitted
from upload.intake import Sender
from upload.models import InProgressSubmission, Submission, UploadSession
from upload.states import SessionStatus
from upload.submitting import Description, describe, submit_session

S = SessionStatus
pytestmark = pytest.mark.django_db


@pytest.mark.django_db(transaction=True)
def test_submitting_without_a_description_says_so(
    client_for: Any, uploader: Any
) -> None:
    session = make_session(SessionStatus.UPLOADING, {"a.txt": b"a"}, uploader)
    client, sure = client_for(uploader), {"complete": "on"}

    shown = client.post(address(session, "submit"), sure, follow=True)

    assert "write a description" in shown.content.decode()


def test_a_session_is_submitted(
    client: Client, session: UploadSession, uploader: Any
) -> None:
    client.post(address(session, "describe"), SAID)

    response = client.post(address(session, "submit"), {"complete": "on"}, follow=True)

    submission = Submission.objects.get()
    assert (submission.title, submission.user) == ("Minutes 1998", uploader)
    assert submission.upload_session == session
    assert submission.accession_number is None
    assert not InProgressSubmission.objects.exists()
    assert "You submitted this on" in text_of(response)
    event = session.event_set.get(code="upload.session.submitted")
    assert (event.premis_type, event.actor) == ("accession", uploader)


def test_a_session_is_submitted_once(client: Client, session: UploadSession) -> None:
    client.post(address(session, "describe"), SAID)

    for _time in range(2):
        last = client.post(address(session, "submit"), {"complete": "on"}, follow=True)

    assert Submission.objects.count() == 1
    assert "was submitted before" in text_of(last)


def test_submitting_has_to_be_confirmed(client: Client, session: UploadSession) -> None:
    client.post(address(session, "describe"), SAID)

    response = client.post(address(session, "submit"))

    assert response.status_code == 400
    assert not Submission.objects.exists()


def test_files_without_a_description_are_not_submitted(
    client: Client, session: UploadSession
) -> None:
    page = client.post(address(session, "submit"), {"complete": "on"}, follow=True)

    assert "write a description" in text_of(page)
    assert not Submission.objects.exists()


def test_a_session_without_files_is_not_submitted(
    client: Client, uploader: Any
) -> None:
    empty = make_session(user=uploader)
    client.post(address(empty, "describe"), SAID)

    page = client.post(address(empty, "submit"), {"complete": "on"}, follow=True)

    assert "holds no files" in text_of(page)
    assert not Submission.objects.exists()


@pytest.fixture
def submitted(session: UploadSession, uploader: Any) -> UploadSession:
    describe(session, uploader, Description(**SAID))
    submit_session(session, uploader)
    return session


def test_what_was_submitted_takes_nothing_more_from_its_sender(
    submitted: UploadSession, client: Client
) -> None:
    token = {"HTTP_AUTHORIZATION": f"Bearer {submitted.token}"}

    by_page = post(client, submitted, file_part("b.txt"))
    by_token = post(Client(), submitted, file_part("b.txt"), **token)

    assert told(by_page) == told(by_token) == (409, "session_submitted")
    assert submitted.tempuploadedfile_set.get().name == "a.txt"


def test_what_was_submitted_is_not_removed_by_its_sender(
    submitted: UploadSession, client: Client
) -> None:
    row = submitted.tempuploadedfile_set.get()
    url = reverse("upload:session_file", args=[submitted.uuid, row.uuid])

    assert told(client.delete(url)) == (409, "session_submitted")
    assert submitted.tempuploadedfile_set.exists()


def test_staff_go_on_with_what_was_submitted(
    submitted: UploadSession, client_for: Any, clerk: Any
) -> None:
    kept = post(client_for(clerk), submitted, file_part("b.txt"))
    submitted.make_uploads_permanent()

    assert kept.status_code == 201
    assert submitted.status == S.STORED


def test_a_submitted_session_is_not_described_again(
    submitted: UploadSession, client: Client
) -> None:
    page = client.post(address(submitted, "describe"), SAID, follow=True)

    assert "was submitted before" in text_of(page)
    assert not InProgressSubmission.objects.exists()


class Slow:
    """A body during which something else happens."""

    def __init__(self, body: bytes, meanwhile: Callable[[], Any]) -> None:
        self._body, self._meanwhile = body, meanwhile

    def read(self, size: int) -> bytes:
        body, self._body = self._body, b""
        if body:
            self._meanwhile()
        return body


def test_a_file_that_was_on_its_way_does_not_pass_the_submission(
    session: UploadSession, uploader: Any
) -> None:
    """B30: the request was let in, then the submission committed."""
    describe(session, uploader, Description(**SAID))
    body = Slow(body_of(file_part("b.txt")), lambda: submit_session(session, uploader))

    (outcome,) = intake.take(session, body, BOUNDARY.encode(), Sender(uploader))

    assert isinstance(outcome.error, SessionSubmitted)
    session.refresh_from_db()
    assert session.total_files == session.tempuploadedfile_set.count() == 1


def test_the_number_that_staff_gave_is_shown(
    submitted: UploadSession, client: Client
) -> None:
    set_status(submitted, S.STORED)
    Submission.objects.update(accession_number="2026-017")

    assert "Accession number: 2026-017." in text_of(client.get(address(submitted)))


def test_a_refused_submission_keeps_nothing(uploader: Any, client: Client) -> None:
    empty = make_session(user=uploader)

    client.post(address(empty, "submit"), {"complete": "on"})

    assert nothing_is_kept(empty)
