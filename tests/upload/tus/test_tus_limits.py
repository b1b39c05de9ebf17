"""Resumable uploads: who may, how much, for how long, in which words."""

from datetime import timedelta
from typing import Any

import pytest
from django.core.management import call_command
from django.test import Client
from django.utils import timezone

from tests.make import make_session, set_status
from tests.upload.http import nothing_is_kept, told
from tests.upload.tus_requests import VERSION, begin, content_of, send, tus_url
from upload import tasks
from upload.models import UnfinishedUpload, UploadSession
from upload.states import SessionStatus

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    ("values", "length", "status"),
    [
        ({"filename": "a\0.txt"}, 5, 400),
        ({"filename": "a.exe"}, 5, 400),
        ({}, 10**12, 413),
        ({"sha256": "zz"}, 5, 400),
    ],
)
def test_what_the_plain_endpoint_refuses_is_refused_at_creation(
    client: Client, session: UploadSession, values: Any, length: int, status: int
) -> None:
    assert told(begin(client, session, length, **values))[0] == status
    assert nothing_is_kept(session)
    assert not UnfinishedUpload.objects.exists()


def test_begun_uploads_count_against_the_limit(
    client: Client, session: UploadSession, settings: Any
) -> None:
    settings.MAX_TOTAL_UPLOAD_COUNT = 1
    begin(client, session, 5)

    answer = begin(client, session, 5, filename="b.txt")

    assert told(answer) == (409, "limit_exceeded")
    assert UnfinishedUpload.objects.count() == 1


def test_a_taken_name_is_refused_before_its_bytes(
    client: Client, session: UploadSession
) -> None:
    send(client, begin(client, session, 5)["Location"], 0, b"alpha")

    assert told(begin(client, session, 5)) == (409, "name_taken")


@pytest.mark.parametrize(
    ("person", "status"),
    [("clerk", 201), ("other_uploader", 404), ("manager", 403), ("auditor", 403)],
)
def test_each_role_may_begin_an_upload_or_not(
    request: pytest.FixtureRequest,
    client_for: Any,
    session: UploadSession,
    person: str,
    status: int,
) -> None:
    client = client_for(request.getfixturevalue(person))

    assert begin(client, session, 5).status_code == status


def test_a_token_opens_its_session_alone(session: UploadSession) -> None:
    token = f"Bearer {session.token}"
    bearer = Client(enforce_csrf_checks=True, headers={"authorization": token})

    assert begin(bearer, session, 5).status_code == 201
    assert begin(bearer, make_session(), 5).status_code == 401


def test_a_cookie_alone_is_not_enough(session: UploadSession, uploader: Any) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(uploader)

    assert begin(client, session, 5).status_code == 403
    assert not UnfinishedUpload.objects.exists()


def test_another_persons_upload_is_as_good_as_missing(
    client: Client, client_for: Any, other_uploader: Any, session: UploadSession
) -> None:
    url = begin(client, session, 5)["Location"]
    stranger = client_for(other_uploader)

    assert stranger.head(url, **VERSION).status_code == 404
    assert send(stranger, url, 0, b"alpha").status_code == 404
    assert stranger.delete(url, **VERSION).status_code == 404


def test_an_unknown_version_is_told_ours(
    client: Client, session: UploadSession
) -> None:
    answer = client.post(tus_url(session), HTTP_TUS_RESUMABLE="0.2.2")

    assert (answer.status_code, answer["Tus-Version"]) == (412, "1.0.0")


def test_options_tell_what_is_spoken(client: Client, session: UploadSession) -> None:
    answer = client.options(tus_url(session))

    assert answer.status_code == 204
    assert "termination" in answer["Tus-Extension"]
    assert answer["Tus-Resumable"] == "1.0.0"


def let_expire() -> None:
    UnfinishedUpload.objects.update(expires_at=timezone.now() - timedelta(hours=1))


@pytest.mark.django_db(transaction=True)
def test_an_expired_upload_is_swept(client: Client, session: UploadSession) -> None:
    url = begin(client, session, 10)["Location"]
    let_expire()

    assert client.head(url, **VERSION).status_code == 404
    call_command("sweep_unfinished_uploads", "--dry-run")
    assert UnfinishedUpload.objects.exists()
    assert tasks.sweep_unfinished_uploads() == "1 ended"
    assert nothing_is_kept(session)


def test_a_sweep_keeps_the_file_of_a_finished_upload(
    client: Client, session: UploadSession
) -> None:
    send(client, begin(client, session, 5)["Location"], 0, b"alpha")
    let_expire()

    tasks.sweep_unfinished_uploads()

    assert not UnfinishedUpload.objects.exists()
    assert content_of(session) == b"alpha"


def test_a_closed_session_takes_no_piece(
    client: Client, session: UploadSession
) -> None:
    url = begin(client, session, 10)["Location"]
    set_status(session, SessionStatus.STORED)

    assert told(send(client, url, 0, b"alpha")) == (409, "illegal_transition")
    assert tasks.sweep_unfinished_uploads() == "1 ended"
