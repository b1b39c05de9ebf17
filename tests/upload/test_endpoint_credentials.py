"""What lets a request change a session: its token, or a cookie and a CSRF header."""

import logging
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from tests.make import make_session
from tests.upload.http import (
    bearer,
    file_part,
    files_url,
    nothing_is_kept,
    post,
    random_uuid,
    told,
)
from upload.states import SessionStatus

S = SessionStatus
pytestmark = pytest.mark.django_db
SESSIONS = "/upload-session/"


def test_a_token_uploads_into_its_session_without_csrf() -> None:
    session = make_session()

    response = post(
        Client(enforce_csrf_checks=True),
        session,
        file_part("a.txt"),
        **bearer(session),
    )

    assert response.status_code == 201
    event = session.event_set.filter(code__endswith="file_received").get()
    assert event.detail["via"] == "session token"


def test_a_token_opens_no_other_session(uploader: Any) -> None:
    mine, other = make_session(user=uploader), make_session(user=uploader)

    response = post(Client(), other, file_part("a.txt"), **bearer(mine))

    assert told(response) == (401, "not_signed_in")
    assert nothing_is_kept(other)


def test_a_wrong_token_and_a_missing_session_are_answered_alike() -> None:
    session = make_session()
    header = {"HTTP_AUTHORIZATION": "Bearer nonsensé"}
    missing = reverse("upload:files", kwargs={"uuid": random_uuid()})

    wrong = post(Client(), session, file_part("a.txt"), **header)
    none = Client().post(missing, **header)

    assert (wrong.status_code, wrong.content) == (401, none.content)


def test_a_token_does_nothing_but_upload() -> None:
    session = make_session(S.UPLOADING)
    row = session.tempuploadedfile_set.first()
    file = reverse("upload:session_file", args=[session.uuid, row.uuid])

    answers = [
        Client().get(SESSIONS, **bearer(session)),
        Client().get(files_url(session), **bearer(session)),
        Client().delete(file, **bearer(session)),
    ]

    assert [answer.status_code for answer in answers] == [401, 401, 401]


def test_the_token_of_an_inactive_owner_is_refused(uploader: Any) -> None:
    session = make_session(user=uploader)
    uploader.is_active = False
    uploader.save()

    response = post(Client(), session, file_part("a.txt"), **bearer(session))

    assert response.status_code == 401


def test_the_token_of_an_owner_who_lost_the_right_is_refused(uploader: Any) -> None:
    session = make_session(user=uploader)
    uploader.groups.clear()

    response = post(Client(), session, file_part("a.txt"), **bearer(session))

    assert response.status_code == 401


def test_a_token_is_never_logged(caplog: pytest.LogCaptureFixture) -> None:
    session = make_session()

    with caplog.at_level(logging.DEBUG):
        post(Client(), session, file_part("a.exe"), **bearer(session))
        post(Client(), make_session(), file_part("a.txt"), **bearer(session))

    assert session.token not in caplog.text


@pytest.mark.parametrize("method", ["post", "delete"])
def test_a_cookie_alone_changes_nothing(uploader: Any, method: str) -> None:
    session = make_session(S.UPLOADING, user=uploader)
    client = Client(enforce_csrf_checks=True)
    client.force_login(uploader)
    row = session.tempuploadedfile_set.first()
    file = reverse("upload:session_file", args=[session.uuid, row.uuid])

    url = file if method == "delete" else files_url(session)
    response = getattr(client, method)(url)

    assert response.status_code in {400, 403, 411}
    assert session.tempuploadedfile_set.count() == 2


def test_an_upload_by_cookie_needs_the_csrf_header(uploader: Any) -> None:
    session = make_session(user=uploader)
    client = Client(enforce_csrf_checks=True)
    client.force_login(uploader)
    page = reverse("upload:upload_page", args=[session.uuid])
    token = client.get(page).context["csrf_token"]

    refused = post(client, session, file_part("a.txt"))
    kept = post(client, session, file_part("a.txt"), HTTP_X_CSRFTOKEN=str(token))

    assert told(refused) == (403, "csrf_failed")
    assert kept.status_code == 201
