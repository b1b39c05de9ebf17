"""What an upload page is told of uploads that were begun, and of one file."""

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from tests.make import make_session, set_status
from tests.upload.http import random_uuid
from tests.upload.tus_requests import VERSION, begin, send, tus_url
from upload.models import UploadSession
from upload.states import SessionStatus
from upload.views import tus

pytestmark = pytest.mark.django_db


def begun(client: Client, session: UploadSession, **query: Any) -> Any:
    return client.get(tus_url(session), query, **VERSION).json()


def test_an_unfinished_upload_is_known_by_its_file(
    client: Client, session: UploadSession
) -> None:
    told = {"filename": "a.txt", "relative_path": "box/a.txt", "last_modified": "17"}
    url = begin(client, session, 10, **told)["Location"]
    send(client, url, 0, b"alpha")

    (row,) = begun(client, session)["results"]

    assert (row["name"], row["relative_path"]) == ("a.txt", "box/a.txt")
    assert (row["length"], row["offset"], row["finished"]) == (10, 5, False)
    assert (row["last_modified"], row["url"]) == ("17", url)


def test_a_finished_upload_is_told_as_such(
    client: Client, session: UploadSession
) -> None:
    send(client, begin(client, session, 5)["Location"], 0, b"alpha")

    (row,) = begun(client, session)["results"]

    assert (row["finished"], row["offset"], row["last_modified"]) == (True, 5, "")
    assert str(session.tempuploadedfile_set.get().uuid) in row["url"]


def test_uploads_of_one_name_are_found(client: Client, session: UploadSession) -> None:
    for name in ("a.txt", "b.txt"):
        begin(client, session, 5, filename=name)

    rows = begun(client, session, name="b.txt")["results"]

    assert [row["name"] for row in rows] == ["b.txt"]


def test_the_list_comes_in_pages(
    client: Client, session: UploadSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tus, "STARTED_ON_PAGE", 1)
    for name in ("a.txt", "b.txt"):
        begin(client, session, 5, filename=name)

    pages = [begun(client, session, page=number) for number in (1, 2)]

    assert [page["more"] for page in pages] == [True, False]
    assert [page["results"][0]["name"] for page in pages] == ["a.txt", "b.txt"]
    bad = client.get(tus_url(session), {"page": "x"}, **VERSION)
    assert bad.status_code == 400


def test_only_who_may_send_sees_what_was_begun(
    client_for: Any, session: UploadSession, other_uploader: Any, auditor: Any
) -> None:
    for person in (other_uploader, auditor):
        answer = client_for(person).get(tus_url(session), **VERSION)
        assert answer.status_code in {403, 404}


def file_url(session: UploadSession, uuid: Any) -> str:
    return reverse("upload:session_file", args=[session.uuid, uuid])


def test_one_file_is_told(client_for: Any, uploader: Any) -> None:
    session = make_session(SessionStatus.UPLOADING, {"a.txt": b"a"}, user=uploader)
    row = session.tempuploadedfile_set.get()

    answer = client_for(uploader).get(file_url(session, row.uuid))

    assert answer.json()["sha256"] == row.sha256
    assert answer.json()["stored"] is False


def test_a_stored_file_is_told_until_it_expires(client_for: Any, uploader: Any) -> None:
    session = make_session(SessionStatus.STORED, {"a.txt": b"a"}, user=uploader)
    url = file_url(session, session.permuploadedfile_set.get().uuid)

    assert client_for(uploader).get(url).json()["stored"] is True
    set_status(session, SessionStatus.EXPIRED)
    assert client_for(uploader).get(url).status_code == 404


def test_a_file_is_not_told_to_others(
    client_for: Any, uploader: Any, other_uploader: Any
) -> None:
    session = make_session(SessionStatus.UPLOADING, {"a.txt": b"a"}, user=uploader)
    url = file_url(session, session.tempuploadedfile_set.get().uuid)

    assert client_for(other_uploader).get(url).status_code == 404
    assert Client().get(url).status_code == 401
    unknown = file_url(session, random_uuid())
    assert client_for(uploader).get(unknown).status_code == 404
