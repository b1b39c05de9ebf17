"""Bad requests: refused with a clear 4xx, nothing kept, one line in the log.

The codes of the rows (B1, B13, …) are those of the bad-input matrix.
"""

from typing import Any

import pytest
from django.test import Client

from tests.upload.http import (
    MULTIPART,
    file_part,
    files_url,
    nothing_is_kept,
    post,
    stored_files,
    told,
)
from upload.models import UploadSession

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    ("raw", "kept"),
    [
        ("../../x.txt", "x.txt"),
        (r"..\..\x.txt", "x.txt"),
        ("/etc/x.txt", "x.txt"),
        ("%2e%2e%2fx.txt", "%2e%2e%2fx.txt"),
        ("....//x.txt", "x.txt"),
        ("CON.txt", "CON.txt"),
        ("=1+1;`$(x)`.txt", "=1+1;`$(x)`.txt"),
        ("{0.__class__}{{7*7}}%s.txt", "{0.__class__}{{7*7}}%s.txt"),
        ("<img onerror=x>.txt", "<img onerror=x>.txt"),
        ("&#233;.txt", "&#233;.txt"),
        ("e\u0301.txt", "e\u0301.txt"),
        ("あ" * 83 + "ab.txt", "あ" * 83 + "ab.txt"),
    ],
)
def test_an_odd_name_is_kept_as_a_name_and_never_as_a_path(
    sender: Client, session: UploadSession, raw: str, kept: str
) -> None:
    response = post(sender, session, file_part(raw))

    assert response.status_code == 201
    row = session.tempuploadedfile_set.get()
    assert row.name == kept
    assert row.uuid.hex in row.file_upload.name
    assert [path.name for path in stored_files("temp")] == [row.uuid.hex]


@pytest.mark.parametrize(
    ("raw", "code"),
    [
        (b"..", "name_empty"),
        (b".", "name_empty"),
        (b"   ", "name_empty"),
        (b"", "name_empty"),
        (b"a\x00b.txt", "name_has_control_characters"),
        (b"a\nb.txt", "name_has_control_characters"),
        (b"a\x1bb.txt", "name_has_control_characters"),
        (b"a\x7fb.txt", "name_has_control_characters"),
        ("a\u202egnp.txt".encode(), "name_has_invisible_characters"),
        ("a\ufeff.txt".encode(), "name_has_invisible_characters"),
        (b"a\xff.txt", "headers_unreadable"),
        (b"a\xed\xa0\x80.txt", "headers_unreadable"),
        (b"a\xc0\xaf.txt", "headers_unreadable"),
        (b"a\r\nb.txt", "headers_unreadable"),
        (b"a\r\nX-Header: b.txt", "extension_not_accepted"),
        ("あ".encode() * 83 + b"abc.txt", "name_too_long"),
        ("𝒳".encode() * 255 + b".txt", "name_too_long"),
        (b"a" * 20_000 + b".txt", "headers_unreadable"),
        (b"noextension", "extension_not_accepted"),
        (b"a.pdf.exe", "extension_not_accepted"),
        (b"a.phtml.", "extension_not_accepted"),
        (b"a.svgz", "extension_not_accepted"),
    ],
)
def test_a_name_that_breaks_the_policy_is_refused(
    sender: Client, session: UploadSession, raw: bytes, code: str
) -> None:
    response = post(sender, session, file_part(raw))

    assert told(response) == (400, code)
    assert nothing_is_kept(session)


@pytest.mark.parametrize(
    "encoded", ["UTF-8''a%FF.txt", "UTF-8''a%00.txt", "x-nonsense''a.txt"]
)
def test_an_encoded_name_that_is_no_text_is_refused(
    sender: Client, session: UploadSession, encoded: str
) -> None:
    part = f'Content-Disposition: form-data; name="file"; filename*={encoded}'

    response = post(sender, session, part.encode() + b"\r\n\r\na")

    assert response.status_code == 400
    assert nothing_is_kept(session)


def test_an_encoded_name_is_decoded(sender: Client, session: UploadSession) -> None:
    part = b"Content-Disposition: form-data; name=\"file\"; filename*=UTF-8''%C3%A9.txt"

    assert post(sender, session, part + b"\r\n\r\na").status_code == 201
    assert session.tempuploadedfile_set.get().name == "é.txt"


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.pdf", b"GIF89a" + bytes(30)),
        ("a.png", b"%PDF-1.4\n"),
        ("a.txt", b"MZ" + bytes(100)),
        ("a.pdf", b"just text"),
    ],
)
def test_bytes_of_another_kind_than_the_name_says_are_refused(
    sender: Client, session: UploadSession, name: str, content: bytes
) -> None:
    part = file_part(name, content, "\r\nContent-Type: application/pdf")

    assert told(post(sender, session, part)) == (400, "type_mismatch")
    assert nothing_is_kept(session)


@pytest.mark.parametrize(
    ("length", "expected"),
    [
        ("", (411, "length_required")),
        ("-1", (400, "malformed_body")),
        ("ten", (400, "malformed_body")),
        ("1" * 40, (400, "malformed_body")),
        (str(10**17), (413, "too_large")),
    ],
)
def test_a_length_is_judged_before_the_body_is_read(
    sender: Client, session: UploadSession, length: str, expected: tuple[int, str]
) -> None:
    response = post(sender, session, file_part("a.txt"), CONTENT_LENGTH=length)

    assert told(response) == expected
    assert nothing_is_kept(session)


class Untouched:
    """A body that must not be read."""

    def read(self, *args: int) -> bytes:
        raise AssertionError("The body was read.")

    readline = read


@pytest.mark.parametrize(
    ("person", "length", "status"),
    [("manager", 100, 403), ("clerk", 10**13, 413), ("other_uploader", 100, 404)],
)
def test_a_refusal_before_the_body_reads_nothing_of_it(
    request: pytest.FixtureRequest,
    session: UploadSession,
    person: str,
    length: int,
    status: int,
) -> None:
    client = Client()
    client.force_login(request.getfixturevalue(person))
    untouched = {
        "wsgi.input": Untouched(),
        "CONTENT_LENGTH": str(length),
        "CONTENT_TYPE": MULTIPART,
    }

    response = client.generic("POST", files_url(session), **untouched)

    assert response.status_code == status


def test_the_bytes_of_a_file_are_counted_while_they_come(
    sender: Client, session: UploadSession, settings: Any
) -> None:
    settings.MAX_SINGLE_UPLOAD_SIZE_MB = 1

    response = post(sender, session, file_part("a.txt", b"a" * 1_000_001))

    assert told(response) == (413, "too_large")
    assert nothing_is_kept(session)


def test_a_file_of_exactly_the_largest_size_is_kept(
    sender: Client, session: UploadSession, settings: Any
) -> None:
    settings.MAX_SINGLE_UPLOAD_SIZE_MB = 1

    response = post(sender, session, file_part("a.txt", b"a" * 1_000_000))

    assert response.status_code == 201


def test_a_session_takes_exactly_the_bytes_it_may(
    sender: Client, session: UploadSession, settings: Any
) -> None:
    settings.MAX_TOTAL_UPLOAD_SIZE_MB = 1

    parts = [file_part(f"{n}.txt", b"a" * 500_000) for n in range(2)]
    kept = post(sender, session, *parts)
    refused = post(sender, session, file_part("3.txt", b"a"))

    assert (kept.status_code, told(refused)) == (201, (409, "limit_exceeded"))
