"""The JSON endpoints: open a session, list, send and remove files."""

import hashlib
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from django.db import connections
from django.test import Client
from django.urls import reverse

from tests.make import make_session, set_status
from tests.upload.http import (
    bearer,
    database_locked,
    field_part,
    file_part,
    files_url,
    nothing_is_kept,
    post,
    random_uuid,
    stored_files,
    told,
)
from upload.models import UploadSession
from upload.states import SessionStatus

S = SessionStatus
pytestmark = pytest.mark.django_db
SESSIONS = "/upload-session/"


def test_a_signed_in_uploader_opens_a_session(client_for: Any, uploader: Any) -> None:
    response = client_for(uploader).post(SESSIONS)

    assert response.status_code == 201
    session = UploadSession.objects.get(uuid=response.json()["uuid"])
    assert session.user == uploader
    assert session.token not in response.content.decode()


def test_nobody_opens_a_session_without_signing_in(client: Client) -> None:
    response = client.post(SESSIONS)

    assert told(response) == (401, "not_signed_in")


@pytest.mark.parametrize("person", ["manager", "auditor", "nobody"])
def test_who_may_not_upload_opens_no_session(
    client_for: Any, person: str, request: pytest.FixtureRequest
) -> None:
    response = client_for(request.getfixturevalue(person)).post(SESSIONS)

    assert told(response) == (403, "not_permitted")
    assert not UploadSession.objects.exists()


def test_the_limit_of_open_sessions_is_a_conflict(
    client_for: Any, uploader: Any, settings: Any
) -> None:
    settings.UPLOAD_SESSION_MAX_CONCURRENT_OPEN = 1
    client = client_for(uploader)

    statuses = [client.post(SESSIONS).status_code for _try in range(2)]

    assert statuses == [201, 409]
    assert told(client.post(SESSIONS)) == (409, "session_limit_exceeded")


def test_an_uploader_lists_only_own_sessions(
    client_for: Any, uploader: Any, other_uploader: Any
) -> None:
    mine = make_session(user=uploader)
    make_session(user=other_uploader)

    told_of = client_for(uploader).get(SESSIONS).json()

    assert [row["uuid"] for row in told_of["results"]] == [str(mine.uuid)]
    assert mine.token not in str(told_of)


def test_the_list_is_narrowed_by_the_shared_filters(
    client_for: Any, clerk: Any
) -> None:
    make_session()
    full = make_session(S.UPLOADING)

    rows = client_for(clerk).get(SESSIONS, {"status": "UG"}).json()["results"]

    assert [row["uuid"] for row in rows] == [str(full.uuid)]


@pytest.mark.parametrize(
    "query",
    [
        "status__x=1",
        "user__password__startswith=a",
        "_connector=OR",
        "status=XX",
        "started_after=yesterday",
        "q=%00",
        "q=" + "a" * 100_000,
        "page=-1",
        "page=1000000000",
        "page=²",
        "page_size=0",
        "size_min=1e999",
    ],
)
def test_a_filter_that_is_not_understood_is_refused(
    client_for: Any, clerk: Any, query: str
) -> None:
    response = client_for(clerk).get(f"{SESSIONS}?{query}")

    assert told(response) == (400, "filter_refused")


def test_the_list_comes_in_pages(client_for: Any, clerk: Any) -> None:
    for _number in range(3):
        make_session()

    page = client_for(clerk).get(SESSIONS, {"page_size": 2, "page": 2}).json()

    assert (page["count"], page["pages"], len(page["results"])) == (3, 2, 1)


def test_an_uploader_sends_a_file(client_for: Any, uploader: Any) -> None:
    session = make_session(user=uploader)

    response = post(client_for(uploader), session, file_part("日本 é.txt", b"alpha"))

    assert response.status_code == 201
    row = session.tempuploadedfile_set.get()
    assert (row.name, row.size, row.received_by) == ("日本 é.txt", 5, uploader)
    assert row.sha256 == hashlib.sha256(b"alpha").hexdigest()
    assert [path.read_bytes() for path in stored_files("temp")] == [b"alpha"]


def test_the_bytes_are_written_once_and_no_staging_stays(
    client_for: Any, clerk: Any
) -> None:
    session = make_session()
    content = bytes(range(1, 128)) * 50_000

    post(client_for(clerk), session, file_part("a.txt", content))

    (path,) = stored_files("temp")
    assert path.read_bytes() == content


def test_one_request_carries_many_files_with_their_fields(
    client_for: Any, clerk: Any
) -> None:
    session = make_session()
    digests = [hashlib.sha256(text).hexdigest().encode() for text in (b"one", b"two")]

    response = post(
        client_for(clerk),
        session,
        file_part("one.txt", b"one"),
        file_part("two.txt", b"two"),
        *(field_part("sha256", digest) for digest in digests),
        field_part("relative_path", b"box/one.txt"),
        field_part("relative_path", b"box/two.txt"),
    )

    assert (response.status_code, response.json()["kept"]) == (201, 2)
    paths = session.tempuploadedfile_set.values_list("relative_path", flat=True)
    assert list(paths) == ["box/one.txt", "box/two.txt"]


def test_files_of_one_request_are_kept_or_refused_one_by_one(
    client_for: Any, clerk: Any
) -> None:
    session = make_session()

    response = post(
        client_for(clerk), session, file_part("a.exe"), file_part("b.txt", b"b")
    )

    assert told(response) == (400, "extension_not_accepted")
    outcomes = [(row["name"], row["status"]) for row in response.json()["results"]]
    assert outcomes == [("a.exe", 400), ("b.txt", 201)]
    assert session.tempuploadedfile_set.get().name == "b.txt"


def test_a_taken_name_is_a_conflict_unless_a_number_is_asked_for(
    client_for: Any, clerk: Any
) -> None:
    session = make_session()
    client = client_for(clerk)
    post(client, session, file_part("a.txt", b"one"))

    refused = post(client, session, file_part("a.txt", b"two"))
    kept = post(client, session, field_part("numbered", b"1"), file_part("a.txt"))

    assert told(refused) == (409, "name_taken")
    assert kept.json()["results"][0]["file"]["name"] == "a (2).txt"
    assert len(stored_files("temp")) == 2


def test_a_wrong_digest_drops_the_bytes(client_for: Any, clerk: Any) -> None:
    session = make_session()

    response = post(
        client_for(clerk),
        session,
        file_part("a.txt"),
        field_part("sha256", b"0" * 64),
    )

    assert told(response) == (422, "digest_mismatch")
    assert nothing_is_kept(session)


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        (S.EXPIRED, (410, "expired")),
        (S.STORED, (409, "illegal_transition")),
        (S.COPYING_IN_PROGRESS, (409, "illegal_transition")),
        (S.REMOVING_IN_PROGRESS, (409, "illegal_transition")),
        (S.COPYING_FAILED, (409, "illegal_transition")),
    ],
)
def test_a_session_that_is_not_open_takes_no_file(
    client_for: Any, clerk: Any, status: S, expected: tuple[int, str]
) -> None:
    session = make_session()
    set_status(session, status)

    assert told(post(client_for(clerk), session, file_part("a.txt"))) == expected
    assert told(post(Client(), session, file_part("a.txt"), **bearer(session))) == (
        expected
    )
    assert nothing_is_kept(session)


@pytest.mark.parametrize("verb", ["get", "post"])
def test_another_persons_session_is_answered_like_a_missing_one(
    client_for: Any, uploader: Any, other_uploader: Any, verb: str
) -> None:
    session = make_session(user=other_uploader)
    missing = reverse("upload:files", kwargs={"uuid": random_uuid()})
    ask = getattr(client_for(uploader), verb)

    others, none = ask(files_url(session)), ask(missing)

    assert (others.status_code, others.content) == (404, none.content)


def test_who_may_look_but_not_upload_is_refused(client_for: Any, manager: Any) -> None:
    session = make_session()

    response = post(client_for(manager), session, file_part("a.txt"))

    assert told(response) == (403, "not_permitted")
    assert nothing_is_kept(session)


def test_a_file_is_removed(client_for: Any, uploader: Any) -> None:
    session = make_session(S.UPLOADING, {"a.txt": b"a"}, user=uploader)
    row = session.tempuploadedfile_set.get()
    url = reverse("upload:session_file", args=[session.uuid, row.uuid])

    first, second = (client_for(uploader).delete(url) for _try in range(2))

    assert (first.status_code, second.status_code) == (204, 404)
    session.refresh_from_db()
    assert (session.status, session.total_files) == (S.CREATED, 0)


def test_the_files_of_a_session_are_listed(client_for: Any, uploader: Any) -> None:
    session = make_session(S.UPLOADING, {"a.txt": b"a", "b.txt": b"b"}, user=uploader)
    client = client_for(uploader)

    first = client.get(files_url(session), {"page_size": 1}).json()
    second = client.get(files_url(session), {"page_size": 1, "page": 2}).json()

    names = [page["results"][0]["name"] for page in (first, second)]
    assert (names, first["more"], second["more"]) == (["a.txt", "b.txt"], True, False)


def test_uploads_can_be_switched_off(
    client_for: Any, clerk: Any, settings: Any
) -> None:
    session = make_session()
    settings.FILE_UPLOAD_ENABLED = False

    response = post(client_for(clerk), session, file_part("a.txt"))

    assert told(response) == (403, "uploads_off")


def test_a_busy_database_is_told_and_keeps_no_row(client_for: Any, clerk: Any) -> None:
    session = make_session()
    client = client_for(clerk)

    with database_locked('UPDATE "upload_uploadsession"'):
        response = post(client, session, file_part("a.txt"))

    assert told(response) == (503, "unavailable")
    assert response["Retry-After"]
    assert not session.tempuploadedfile_set.exists()


def test_a_method_that_is_not_known_is_refused(client_for: Any, clerk: Any) -> None:
    client = client_for(clerk)

    assert told(client.put(SESSIONS)) == (405, "method_not_allowed")
    assert told(client.patch(files_url(make_session()))) == (405, "method_not_allowed")


@pytest.mark.django_db(transaction=True)
def test_parallel_uploads_end_exactly_at_the_limit(
    client_for: Any, clerk: Any, settings: Any
) -> None:
    settings.MAX_TOTAL_UPLOAD_COUNT = 3
    session = make_session()
    cookies = client_for(clerk).cookies

    def send(number: int) -> int:
        client = Client()
        client.cookies = cookies
        try:
            part = file_part(f"{number}.txt", b"a")
            return int(post(client, session, part).status_code)
        finally:
            connections.close_all()

    with ThreadPoolExecutor(8) as pool:
        statuses = sorted(pool.map(send, range(8)))

    assert statuses == [201] * 3 + [409] * 5
    session.refresh_from_db()
    assert session.total_files == session.tempuploadedfile_set.count() == 3
    assert len(stored_files("temp")) == 3
