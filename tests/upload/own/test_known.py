"""The upload page asks which of the chosen files the session has."""

import json
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from tests.make import make_upload, set_status
from tests.upload.http import field_part, file_part, post, told
from tests.upload.tus_requests import begin, send, tus_url
from upload.models import UploadSession
from upload.states import SessionStatus
from upload.views.known import MOST_PATHS

pytestmark = pytest.mark.django_db
S = SessionStatus


def address(session: UploadSession) -> str:
    return reverse("upload:known_files", args=[session.uuid])


def ask(client: Client, session: UploadSession, *paths: Any) -> Any:
    body = {"paths": list(paths)}
    return client.post(address(session), body, content_type="application/json")


def results(response: Any) -> list[dict[str, Any]]:
    assert response.status_code == 200
    found: list[dict[str, Any]] = json.loads(response.content)["results"]
    return found


def test_only_files_that_were_asked_for_are_told(
    client: Client, session: UploadSession
) -> None:
    session.add_temp_file(make_upload("b.txt"))
    row = session.tempuploadedfile_set.get(name="a.txt")

    assert results(ask(client, session, "a.txt", "c.txt")) == [
        {
            "path": "a.txt",
            "uuid": str(row.uuid),
            "name": "a.txt",
            "size_bytes": 5,
            "sha256": row.sha256,
            "last_modified": "",
            "stored": False,
        }
    ]


def test_two_spellings_of_one_path_are_both_told(
    client: Client, session: UploadSession
) -> None:
    relative = field_part("relative_path", b"f/b.txt")
    post(client, session, file_part("b.txt", b"x"), relative)

    found = results(ask(client, session, "f/b.txt", "f\\b.txt", "f/b.txt"))

    assert [row["path"] for row in found] == ["f/b.txt", "f\\b.txt"]


def test_the_times_of_many_files_are_all_told(
    client: Client, session: UploadSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No statement names more files than the database takes values."""
    monkeypatch.setattr("upload.views.known.ASKED_AT_ONCE", 2)
    names = [f"{number}.txt" for number in range(5)]
    for number, name in enumerate(names):
        begun = begin(client, session, 5, filename=name, last_modified=str(number))
        send(client, begun["Location"], 0, b"alpha")

    found = results(ask(client, session, *names))

    assert {row["name"]: row["last_modified"] for row in found} == {
        name: str(number) for number, name in enumerate(names)
    }


def test_files_of_folders_are_known_by_their_path(
    client: Client, session: UploadSession
) -> None:
    path = field_part("relative_path", b"Box/a.txt")
    numbered = field_part("numbered", b"1")
    post(client, session, file_part("a.txt"), path, numbered)

    found = results(ask(client, session, "Box/a.txt"))

    assert [(one["path"], one["name"]) for one in found] == [("Box/a.txt", "a (2).txt")]
    assert len(results(ask(client, session, "Box\\a.txt", "a.txt"))) == 2


def test_a_numbered_file_is_known_by_the_name_it_was_sent_by(
    client: Client, session: UploadSession
) -> None:
    post(client, session, file_part("a.txt", b"beta"), field_part("numbered", b"1"))

    assert len(results(ask(client, session, "a.txt"))) == 2
    assert results(ask(client, session, "a (2).txt")) == []


def test_the_time_of_change_is_told_where_the_sender_told_it(
    client: Client, session: UploadSession
) -> None:
    begun = begin(client, session, 5, filename="b.txt", last_modified="1700000000000")
    send(client, begun["Location"], 0, b"alpha")

    (found,) = results(ask(client, session, "b.txt"))

    assert found["last_modified"] == "1700000000000"


def test_stored_files_are_known(client: Client, session: UploadSession) -> None:
    session.make_uploads_permanent()

    assert results(ask(client, session, "a.txt"))[0]["stored"] is True


def test_an_expired_session_has_none(client: Client, session: UploadSession) -> None:
    set_status(session, S.EXPIRED)

    assert results(ask(client, session, "a.txt")) == []


def test_names_that_no_file_can_have_are_passed_over(
    client: Client, session: UploadSession
) -> None:
    odd = ("", "..", "a\0b", "\ud800", "/a.txt", "a" * 300, "../a.txt")

    assert len(results(ask(client, session, *odd, "a.txt"))) == 1


@pytest.mark.parametrize(
    "body",
    [
        *("", "[]", "{", '{"paths": "a"}', '{"paths": [1]}', "[" * 100_000),
        json.dumps({"paths": ["a"] * (MOST_PATHS + 1)}),
    ],
)
def test_other_bodies_are_refused(
    client: Client, session: UploadSession, body: str
) -> None:
    response = client.post(address(session), body, content_type="application/json")

    assert told(response) == (400, "malformed_body")


def test_a_form_is_refused(client: Client, session: UploadSession) -> None:
    assert told(client.post(address(session), {"paths": "a.txt"}))[0] == 400


@pytest.mark.parametrize(
    ("person", "status"),
    [
        ("uploader", 200),
        ("other_uploader", 404),
        ("clerk", 200),
        ("auditor", 200),
        ("nobody", 404),
    ],
)
def test_who_may_see_the_session_may_ask(
    request: pytest.FixtureRequest,
    client_for: Any,
    session: UploadSession,
    person: str,
    status: int,
) -> None:
    asker = client_for(request.getfixturevalue(person))

    assert ask(asker, session, "a.txt").status_code == status


def test_asking_needs_a_sign_in_and_a_csrf_token(
    session: UploadSession, uploader: Any
) -> None:
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(uploader)

    assert ask(Client(), session, "a.txt").status_code == 401
    assert ask(strict, session, "a.txt").status_code == 403
    assert Client().get(address(session)).status_code == 405


def test_a_large_question_costs_few_statements(
    client: Client, session: UploadSession, django_assert_max_num_queries: Any
) -> None:
    with django_assert_max_num_queries(8):
        ask(client, session, *(f"Box/{n}.txt" for n in range(MOST_PATHS)))


def test_uploads_to_go_on_with_are_listed_by_themselves(
    client: Client, session: UploadSession
) -> None:
    done = begin(client, session, 5, filename="b.txt")
    send(client, done["Location"], 0, b"alpha")
    left = begin(client, session, 5, filename="c.txt")

    all_, unfinished = (
        json.loads(client.get(tus_url(session), query).content)["results"]
        for query in ({}, {"finished": "0"})
    )

    assert len(all_) == 2
    assert [one["url"] for one in unfinished] == [left["Location"]]
