"""The access URL and the media URL: who may, what is sent, and that it is logged."""

import logging
import os
from pathlib import Path
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from tests.make import make_session, make_upload, set_status
from tests.upload.http import random_uuid, told
from tests.upload.opening import DIGITS, doors, file_of, only_file, sent
from upload.delivery import disposition
from upload.models import AccessLog
from upload.states import SessionStatus

S = SessionStatus
pytestmark = pytest.mark.django_db
PNG = b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR" + bytes(60)


# The matrix of roles: what each may do with a temporary and a permanent file.
MATRIX = [
    ("uploader", 200, 403),
    ("other_uploader", 404, 404),
    ("clerk", 200, 200),
    ("manager", 403, 200),
    ("auditor", 403, 403),
    ("superuser", 200, 200),
    ("nobody", 404, 404),
]


@pytest.mark.parametrize(("person", "temporary", "permanent"), MATRIX)
def test_each_role_opens_what_the_matrix_says(
    request: pytest.FixtureRequest, person: str, temporary: int, permanent: int
) -> None:
    owner = request.getfixturevalue("uploader")
    client = Client()
    client.force_login(request.getfixturevalue(person))

    for status, expected in ((S.UPLOADING, temporary), (S.STORED, permanent)):
        for url in doors(file_of(owner, status)):
            response = client.get(url)
            sent(response)
            assert response.status_code == expected


def test_owners_open_stored_files_where_the_setting_says_so(
    client_for: Any, uploader: Any, settings: Any
) -> None:
    settings.UPLOADERS_MAY_DOWNLOAD_STORED = True
    file = file_of(uploader, S.STORED)

    assert sent(client_for(uploader).get(file.get_file_access_url())) == DIGITS


def test_another_persons_file_is_answered_like_a_missing_one(
    client_for: Any, uploader: Any, other_uploader: Any
) -> None:
    client = client_for(uploader)
    missing = reverse("upload:uploaded_file", kwargs={"uuid": random_uuid()})
    url = file_of(other_uploader, S.UPLOADING).get_file_access_url()

    theirs, none = (
        client.get(address, headers={"accept": "application/json"})
        for address in (url, missing)
    )

    assert (theirs.status_code, theirs.content) == (404, none.content)


def test_people_who_are_not_signed_in_are_led_to_sign_in(uploader: Any) -> None:
    url = file_of(uploader, S.UPLOADING).get_file_access_url()

    page = Client().get(url)
    answer = Client().get(url, headers={"accept": "application/json"})

    assert (page.status_code, page["Location"]) == (302, f"/login/?next={url}")
    assert told(answer) == (401, "not_signed_in")


def test_a_file_keeps_its_url_when_it_is_stored(client_for: Any, clerk: Any) -> None:
    session = make_session(S.UPLOADING, {"a.txt": DIGITS})
    url = only_file(session).get_file_access_url()

    session.make_uploads_permanent()

    assert sent(client_for(clerk).get(url)) == DIGITS


def test_the_files_of_an_expired_session_are_gone(client_for: Any, clerk: Any) -> None:
    file = file_of(None, S.UPLOADING)
    set_status(file.session, S.EXPIRED)

    assert client_for(clerk).get(file.get_file_access_url()).status_code == 404


def test_every_opening_is_logged(client_for: Any, clerk: Any) -> None:
    session = make_session(S.UPLOADING, {"a.png": PNG})
    url = only_file(session).get_file_access_url()
    client = client_for(clerk)

    for address in (url, f"{url}?download=1"):
        sent(client.get(address))
    client.head(url)

    logged = AccessLog.objects.order_by("pk").values_list("user_name", "action")
    assert list(logged) == [("clerk", "view"), ("clerk", "download")]


def test_a_refused_opening_is_not_logged_as_one(client_for: Any, auditor: Any) -> None:
    client_for(auditor).get(file_of(None, S.STORED).get_file_access_url())

    assert not AccessLog.objects.exists()


def test_what_is_sent_is_harmless(client_for: Any, clerk: Any) -> None:
    file = file_of(None, S.UPLOADING, "a.txt", b"<script>alert(1)</script>")

    response = client_for(clerk).get(file.get_file_access_url())
    sent(response)

    assert response["Content-Disposition"].startswith("attachment; ")
    assert response["Content-Type"] == "application/octet-stream"
    assert response["X-Content-Type-Options"] == "nosniff"
    assert response["Content-Security-Policy"] == "sandbox; default-src 'none'"
    assert response["Cache-Control"] == "private, no-store"
    assert response["Cross-Origin-Resource-Policy"] == "same-origin"


def test_only_raster_images_are_shown(client_for: Any, clerk: Any) -> None:
    url = file_of(None, S.UPLOADING, "a.png", PNG).get_file_access_url()
    client = client_for(clerk)

    shown, saved = client.get(url), client.get(url, {"download": "1"})
    sent(shown), sent(saved)

    assert (shown["Content-Type"], saved["Content-Type"]) == (
        "image/png",
        "application/octet-stream",
    )
    assert shown["Content-Disposition"].startswith("inline; ")
    assert saved["Content-Disposition"].startswith("attachment; ")


@pytest.mark.parametrize("name", ["a.pdf", "a.svg", "a.html"])
def test_documents_are_never_shown_in_the_page(
    client_for: Any, clerk: Any, name: str
) -> None:
    file = file_of(
        None, S.UPLOADING, name, b"<svg xmlns='http://www.w3.org/2000/svg'/>"
    )

    response = client_for(clerk).get(file.get_file_access_url())
    sent(response)

    assert response["Content-Disposition"].startswith("attachment; ")


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("a.txt", "attachment; filename=\"a.txt\"; filename*=UTF-8''a.txt"),
        ("é.txt", "attachment; filename=\"_.txt\"; filename*=UTF-8''%C3%A9.txt"),
        (
            'a";b\\.txt',
            "attachment; filename=\"a_;b_.txt\"; filename*=UTF-8''a%22%3Bb%5C.txt",
        ),
        (
            "a\r\nX: y",
            "attachment; filename=\"a__X: y\"; filename*=UTF-8''a%0D%0AX%3A%20y",
        ),
    ],
)
def test_a_disposition_has_both_forms_and_adds_no_header(
    name: str, expected: str
) -> None:
    assert disposition(name, shown=False) == expected


PLANTS = {
    "link": lambda path: path.symlink_to(path.with_name("secret")),
    "pipe": os.mkfifo,
    "folder": Path.mkdir,
}


@pytest.mark.parametrize("plant", PLANTS)
def test_what_stands_in_the_place_of_a_file_is_not_opened(
    client_for: Any, clerk: Any, plant: str
) -> None:
    """B28: also where a link leads to as many bytes as the file had."""
    file = file_of(None, S.STORED)
    path = Path(file.file_upload.path)
    path.with_name("secret").write_bytes(b"9876543210")
    path.unlink()
    PLANTS[plant](path)

    response = client_for(clerk).get(file.get_file_access_url())

    assert response.status_code == 404


@pytest.mark.parametrize("harm", ["missing", "truncated"])
def test_bytes_that_are_gone_are_told_and_logged(
    client_for: Any, clerk: Any, caplog: pytest.LogCaptureFixture, harm: str
) -> None:
    file = file_of(None, S.STORED)
    path = Path(file.file_upload.path)
    path.unlink()
    if harm == "truncated":
        path.write_bytes(b"01")

    with caplog.at_level(logging.ERROR, "upload.access"):
        page = client_for(clerk).get(file.get_file_access_url())

    assert page.status_code == 404
    assert "is on record, but its bytes are missing" in page.content.decode()
    assert f"The bytes of file {file.uuid}" in caplog.text


def test_a_refusal_is_json_for_programs(client_for: Any, auditor: Any) -> None:
    url = file_of(None, S.STORED).get_file_access_url()

    response = client_for(auditor).get(url, headers={"accept": "application/json"})

    assert told(response) == (403, "not_permitted")


@pytest.mark.parametrize("status", [S.UPLOADING, S.STORED])
def test_nginx_is_handed_the_file_where_it_is_set_up(
    client_for: Any, clerk: Any, settings: Any, status: S
) -> None:
    settings.ACCEL_REDIRECT_PREFIX = "/protected"
    file = file_of(None, status)

    response = client_for(clerk).get(file.get_file_access_url())

    alias = "temp" if status == S.UPLOADING else "uploaded"
    expected = f"/protected/{alias}/{file.file_upload.name}"
    assert (response["X-Accel-Redirect"], response.content) == (expected, b"")
    assert response["Content-Disposition"].startswith("attachment; ")


@pytest.mark.parametrize("key", ["ab/cd", "../../etc/passwd", "%00", "a%0d%0ab", "é"])
def test_a_key_that_no_row_has_is_not_found(
    client_for: Any, superuser: Any, key: str
) -> None:
    assert client_for(superuser).get(f"/media/temp/{key}").status_code == 404


def test_nothing_hangs_below_an_access_url(client_for: Any, clerk: Any) -> None:
    url = file_of(None, S.STORED).get_file_access_url()

    assert client_for(clerk).get(f"{url}x.css").status_code == 404


@pytest.mark.parametrize("method", ["post", "put", "delete", "patch"])
def test_an_access_url_is_only_for_reading(
    client_for: Any, clerk: Any, method: str
) -> None:
    url = file_of(None, S.STORED).get_file_access_url()

    assert getattr(client_for(clerk), method)(url).status_code == 405


def test_a_name_from_outside_is_escaped_in_a_refusal(
    client_for: Any, auditor: Any
) -> None:
    session = make_session()
    session.add_temp_file(make_upload("<img src=x onerror=a>.txt"))

    page = client_for(auditor).get(only_file(session).get_file_access_url())

    assert "<img src=x" not in page.content.decode()
