"""The rows of the bad-input matrix that no other test of these rooms tries.

Where the others are: B1 to B9, B13, B16, B38 ``test_bad_input`` and ``test_names``;
B10, B11 ``test_hostile_files`` and ``test_access``; B14, B22 ``test_endpoint``;
B17 ``test_endpoint`` and ``test_busy_database``; B20, B33 ``test_access`` and
``test_nginx``; B37 ``test_malware``; B15 and all of them by tus ``test_tus_bad_input``;
F27 ``test_bad_input``, ``test_tus_races`` and ``test_tus_clients``; all of them by
chance ``test_fuzz``.
"""

import io
import struct
import zipfile
import zlib
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from django.db import connections
from django.test import Client
from django.urls import reverse

from tests.make import make_session
from tests.upload.http import (
    BOUNDARY,
    body_of,
    file_part,
    files_url,
    nothing_is_kept,
    post,
    stored_files,
    told,
)
from upload import answers, intake
from upload.intake import Sender
from upload.models import UploadSession
from upload.states import SessionStatus

S = SessionStatus
pytestmark = pytest.mark.django_db
HOSTILE = "<img src=x onerror=alert(1)>{{7*7}}{0.__class__}%s.txt"


def bomb() -> bytes:
    """Return some 50 kB that would be 50 MB."""
    body = io.BytesIO()
    with zipfile.ZipFile(body, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("zeros", bytes(50_000_000))
        archive.writestr("../../evil", b"x")
    return body.getvalue()


def huge_picture() -> bytes:
    """Return the head of a PNG of 50,000 times 50,000 pixels."""
    head = b"IHDR" + struct.pack("!IIBBBBB", 50_000, 50_000, 8, 2, 0, 0, 0)
    length, check = struct.pack("!I", 13), struct.pack("!I", zlib.crc32(head))
    return b"\x89PNG\r\n\x1a\n" + length + head + check


@pytest.mark.parametrize(
    ("name", "content"),
    [("a.zip", bomb()), ("a.png", huge_picture())],
    ids=["zip", "png"],
)
def test_b12_nothing_is_unpacked(
    client_for: Any, clerk: Any, name: str, content: bytes
) -> None:
    session = make_session()

    response = post(client_for(clerk), session, file_part(name, content))

    assert response.status_code == 201
    assert [path.read_bytes() for path in stored_files("temp")] == [content]


def test_b18_b19_a_name_is_shown_as_it_is_on_every_page(
    client_for: Any, superuser: Any
) -> None:
    session = make_session(S.UPLOADING, {HOSTILE: b"a"}, user=superuser)
    client = client_for(superuser)
    pages = [
        reverse("upload:own_session", args=[session.uuid]),
        reverse("admin:upload_uploadsession_change", args=[session.pk]),
        reverse("admin:upload_tempuploadedfile_changelist"),
    ]

    for url in pages:
        text = client.get(url).content.decode()
        assert "<img src=x onerror" not in text
        assert "{{7*7}}{0.__class__}%s" in text


@pytest.mark.parametrize(
    "target", ["//evil.example", "https:evil.example", "\\\\evil.example", "///e.x"]
)
def test_b21_signing_in_leads_nowhere_else(uploader: Any, target: str) -> None:
    credentials = {"username": "uploader", "password": "pw", "next": target}

    response = Client().post("/login/", credentials)

    assert response["Location"] == "/"


def test_b23_a_token_is_in_no_page_and_no_referrer_leaves(
    client_for: Any, superuser: Any
) -> None:
    session = make_session(S.UPLOADING, user=superuser)
    client = client_for(superuser)

    for url in (
        files_url(session),
        reverse("upload:upload_page", args=[session.uuid]),
        reverse("upload:own_session", args=[session.uuid]),
        reverse("admin:upload_uploadsession_change", args=[session.pk]),
    ):
        response = client.get(url)
        assert session.token not in response.content.decode()
        assert response["Referrer-Policy"] == "same-origin"


class During:
    """A body; something else happens while it comes."""

    def __init__(self, body: bytes, deed: Callable[[], Any]) -> None:
        self._body, self._deed = body, deed

    def read(self, size: int) -> bytes:
        body, self._body = self._body, b""
        if body:
            self._deed()
        return body


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(
    ("deed", "status"),
    [(UploadSession.expire, 410), (UploadSession.make_uploads_permanent, 409)],
    ids=["expire", "store"],
)
def test_b30_an_upload_loses_against_what_closed_its_session(
    deed: Callable[[UploadSession], Any], status: int
) -> None:
    session = make_session(S.UPLOADING, {"a.txt": b"a"})
    other = UploadSession.objects.get(pk=session.pk)
    body = During(body_of(file_part("b.txt")), lambda: deed(other))

    (outcome,) = intake.take(session, body, BOUNDARY.encode(), Sender(None, "test"))

    assert outcome.error is not None
    assert answers.status_of(outcome.error) == status
    assert not session.tempuploadedfile_set.filter(name="b.txt").exists()
    assert not session.permuploadedfile_set.filter(name="b.txt").exists()
    assert len(stored_files("temp")) == session.tempuploadedfile_set.count()


@pytest.mark.parametrize("header", ["HTTP_X_FORWARDED_HOST", "HTTP_X_FORWARDED_SERVER"])
def test_b32_a_forwarded_host_is_not_believed(
    client_for: Any, uploader: Any, header: str
) -> None:
    response = client_for(uploader).get("/upload/", **{header: "evil.example"})

    assert response.status_code == 200
    assert "evil.example" not in response.content.decode()


def test_b32_no_page_of_a_person_is_kept_by_a_cache(
    client_for: Any, superuser: Any
) -> None:
    session = make_session(S.UPLOADING, user=superuser)
    client = client_for(superuser)

    for url in (
        "/",
        "/upload/",
        "/upload-session/",
        files_url(session),
        reverse("upload:own_session", args=[session.uuid]),
        reverse("admin:index"),
        reverse("admin:upload_uploadsession_change", args=[session.pk]),
    ):
        kept = client.get(url)["Cache-Control"]
        assert "private" in kept
        assert "no-store" in kept


@pytest.mark.parametrize("suffix", ["x.css", "a.js", "x.png/", ";x.css"])
def test_b32_what_looks_like_a_static_file_is_none(
    client_for: Any, uploader: Any, suffix: str
) -> None:
    session = make_session(user=uploader)
    url = reverse("upload:own_session", args=[session.uuid])

    assert client_for(uploader).get(f"{url}{suffix}").status_code == 404


@pytest.mark.django_db(transaction=True)
def test_b35_parallel_uploads_end_exactly_at_the_bytes_that_are_allowed(
    client_for: Any, clerk: Any, settings: Any
) -> None:
    settings.MAX_TOTAL_UPLOAD_SIZE_MB = 1
    session = make_session()
    cookies = client_for(clerk).cookies

    def send(number: int) -> int:
        client = Client()
        client.cookies = cookies
        try:
            part = file_part(f"{number}.txt", b"a" * 300_000)
            return int(post(client, session, part).status_code)
        finally:
            connections.close_all()

    with ThreadPoolExecutor(6) as pool:
        statuses = sorted(pool.map(send, range(6)))

    assert statuses == [201] * 3 + [409] * 3
    session.refresh_from_db()
    assert session.total_size_bytes == 900_000
    assert sum(path.stat().st_size for path in stored_files("temp")) == 900_000


def test_b35_an_upload_that_was_refused_gives_its_room_back(
    client_for: Any, clerk: Any, settings: Any
) -> None:
    settings.MAX_TOTAL_UPLOAD_COUNT = 1
    session, client = make_session(), client_for(clerk)

    refused = post(client, session, file_part("a.exe"))
    assert nothing_is_kept(session)
    kept = post(client, session, file_part("a.txt"))
    full = post(client, session, file_part("b.txt"))

    assert told(refused)[0] == 400
    assert kept.status_code == 201
    assert told(full) == (409, "limit_exceeded")
