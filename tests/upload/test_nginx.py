"""Behind a real nginx with the sample site: files, their headers, and permission."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from django.conf import settings as django_settings
from django.utils.http import http_date

from tests.make import make_session
from tests.services.web import Site, site
from tests.upload.http import MULTIPART, body_of, file_part, files_url
from upload.models import AccessLog
from upload.states import SessionStatus

S = SessionStatus
pytestmark = pytest.mark.django_db(transaction=True)
CONTENT = bytes(range(256)) * 4000
HARMLESS = {
    "X-Content-Type-Options": "nosniff",
    "Content-Security-Policy": "sandbox; default-src 'none'",
    "Cache-Control": "private, no-store",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "same-origin",
    "X-Frame-Options": "DENY",
}


@pytest.fixture
def served(server_environment: dict[str, str], tmp_path: Path) -> Iterator[Site]:
    with site(tmp_path / "web", server_environment) as running:
        yield running


@pytest.fixture
def cookie(client_for: Any, clerk: Any) -> str:
    name = django_settings.SESSION_COOKIE_NAME
    return f"{name}={client_for(clerk).cookies[name].value}"


def file_in(status: S, name: str = "a.zip", content: bytes = CONTENT) -> Any:
    session = make_session(status, {name: content})
    return session.tempuploadedfile_set.first() or session.permuploadedfile_set.get()


def test_files_come_whole_from_both_storages_by_both_urls(
    served: Site, cookie: str
) -> None:
    for status in (S.UPLOADING, S.STORED):
        file = file_in(status)
        for url in (file.get_file_access_url(), file.get_file_media_url()):
            response, body = served.ask(url, cookie=cookie)

            assert (response.status, body) == (200, CONTENT)
            assert response.headers["ETag"] == f'"{file.sha256}"'
    assert AccessLog.objects.count() == 4


def test_nginx_keeps_what_makes_a_file_harmless(served: Site, cookie: str) -> None:
    file = file_in(S.STORED, "a.txt", b"<script>alert(1)</script>")

    for asked in ({}, {"range": "bytes=0-3"}):
        response, _body = served.ask(file.get_file_access_url(), cookie=cookie, **asked)
        assert {name: response.headers[name] for name in HARMLESS} == HARMLESS
        assert response.headers["Content-Type"] == "application/octet-stream"
        assert response.headers["Content-Disposition"].startswith("attachment; ")


NAMES = [
    "議事録 平成十年.txt",
    "Протокол №5.txt",
    "محضر الاجتماع.txt",
    "पंजी.txt",
    "é\u0301 “quoted”; x=%0d%0a.txt",
    "𝒳😀.txt",
    "a" * 251 + ".txt",
]


def test_names_in_every_script_come_out_right(served: Site, cookie: str) -> None:
    for name in NAMES:
        file = file_in(S.STORED, name, b"alpha")

        response, body = served.ask(file.get_file_access_url(), cookie=cookie)

        told = response.headers["Content-Disposition"]
        assert told.endswith(f"; filename*=UTF-8''{quote(name, safe='')}")
        assert (response.status, body) == (200, b"alpha")


@pytest.mark.parametrize("accel", ["/protected", ""], ids=["nginx", "embedded"])
def test_parts_heads_and_conditions_are_answered_alike(
    server_environment: dict[str, str], tmp_path: Path, cookie: str, accel: str
) -> None:
    """B33, by nginx, and by the portal itself with nginx only passing it on."""
    file = file_in(S.STORED)
    # Its file on the disk is younger, as after a store to another file system.
    yesterday = file.received_at - timedelta(days=1)
    type(file).objects.filter(pk=file.pk).update(received_at=yesterday)
    received = http_date(yesterday.timestamp())
    url, etag = file.get_file_access_url(), f'"{file.sha256}"'
    environment = server_environment | {"ACCEL_REDIRECT_PREFIX": accel}
    asked: list[tuple[str, dict[str, str], int, bytes]] = [
        ("GET", {"range": "bytes=5-9"}, 206, CONTENT[5:10]),
        ("GET", {"range": "bytes=-7"}, 206, CONTENT[-7:]),
        ("GET", {"range": "bytes=2000000-"}, 416, b""),
        ("GET", {"range": "bytes=0-1,5-6"}, 200, CONTENT),
        ("GET", {"range": "bytes=5-9", "if_range": etag}, 206, CONTENT[5:10]),
        ("GET", {"range": "bytes=5-9", "if_range": '"old"'}, 200, CONTENT),
        ("GET", {"if_none_match": etag}, 304, b""),
        ("GET", {"if_none_match": '"old"'}, 200, CONTENT),
        ("GET", {"if_match": '"old"'}, 412, b""),
        ("GET", {"if_match": etag}, 200, CONTENT),
        ("GET", {"if_match": etag, "range": "bytes=5-9"}, 206, CONTENT[5:10]),
        ("GET", {"if_unmodified_since": received}, 200, CONTENT),
        ("HEAD", {}, 200, b""),
    ]
    with site(tmp_path / "web", environment) as served:
        for method, headers, status, body in asked:
            response, seen = served.ask(url, method, cookie=cookie, **headers)
            assert (headers, response.status) == (headers, status)
            assert status in {412, 416} or seen == body
            if method == "HEAD":
                assert response.headers["Content-Length"] == str(len(CONTENT))


def test_a_permission_that_was_taken_away_is_gone_at_once(
    served: Site, cookie: str, clerk: Any
) -> None:
    url = file_in(S.STORED).get_file_access_url()
    before, _body = served.ask(url, cookie=cookie)
    etag = before.headers["ETag"]

    clerk.groups.clear()

    for headers in ({}, {"range": "bytes=0-3"}, {"if_none_match": etag}):
        response, body = served.ask(url, cookie=cookie, **headers)
        assert (before.status, response.status) == (200, 404)
        assert CONTENT[:100] not in body


def test_nobody_reaches_the_files_past_the_portal(served: Site, cookie: str) -> None:
    file = file_in(S.STORED)
    key = file.file_upload.name

    for path in (
        f"/protected/uploaded/{key}",
        f"/protected/uploaded/../uploaded/{key}",
        f"//protected/uploaded/{key}",
        "/protected/temp/",
        "/protected/uploaded/..%2f..%2fetc/passwd",
    ):
        assert served.ask(path, cookie=cookie)[0].status == 404
    assert served.ask(file.get_file_access_url())[0].status == 302


def test_a_link_planted_in_the_storage_is_not_followed(
    served: Site, cookie: str, tmp_path: Path
) -> None:
    file = file_in(S.STORED, "a.txt", b"alpha")
    secret = tmp_path / "other"
    secret.write_bytes(b"12345")
    path = Path(file.file_upload.path)
    path.unlink()
    path.symlink_to(secret)

    response, body = served.ask(file.get_file_access_url(), cookie=cookie)

    assert response.status in {403, 404}
    assert b"12345" not in body


def test_an_upload_passes_through_nginx(served: Site) -> None:
    session = make_session()
    body = body_of(file_part("議事録.txt", b"alpha" * 300_000))
    headers = {"Content_Type": MULTIPART, "Authorization": f"Bearer {session.token}"}

    response, _answer = served.ask(files_url(session), "POST", body, **headers)

    assert response.status == 201
    assert session.tempuploadedfile_set.get().size == 1_500_000


def test_a_host_that_is_not_ours_gets_nothing(served: Site) -> None:
    response, _body = served.ask("/login/", Host="evil.example")

    assert response.status == 400
