"""Bodies that are no multipart, are cut off, or meet a disk that is full.

The codes of the rows (B1, B13, …) are those of the bad-input matrix.
"""

import errno
import logging
from typing import Any

import pytest
from django.http import UnreadablePostError
from django.test import Client

from tests.upload.http import (
    BOUNDARY,
    body_of,
    field_part,
    file_part,
    files_url,
    nothing_is_kept,
    post,
    post_body,
    stored_files,
    told,
)
from upload import answers, conf, intake
from upload.errors import SourceUnreadable
from upload.intake import Sender
from upload.models import UploadSession
from upload.staging import Staging

pytestmark = pytest.mark.django_db


def cut_bodies() -> list[bytes]:
    whole = body_of(file_part("a.txt", b"alpha"), field_part("numbered", b"1"))
    return [whole[:end] for end in range(0, len(whole) - 4, 7)]


@pytest.mark.parametrize("body", cut_bodies(), ids=len)
def test_a_body_that_is_cut_off_keeps_nothing(
    sender: Client, session: UploadSession, body: bytes
) -> None:
    response = post_body(sender, session, body)

    assert response.status_code in {400, 411}
    assert nothing_is_kept(session)


@pytest.mark.parametrize(
    "content_type",
    [
        "multipart/form-data",
        "multipart/form-data; boundary=",
        "multipart/form-data; boundary=é",
        "multipart/form-data; boundary=" + "a" * 300,
        "application/json",
        "application/x-www-form-urlencoded",
        "text/plain",
        "",
    ],
)
def test_a_body_of_another_kind_is_refused(
    sender: Client, session: UploadSession, content_type: str
) -> None:
    body = body_of(file_part("a.txt"))

    response = post_body(sender, session, body, content_type=content_type)

    assert response.status_code == 400
    assert nothing_is_kept(session)


@pytest.mark.parametrize(
    ("parts", "code"),
    [
        ([], "no_file"),
        ([field_part("numbered", b"1")], "no_file"),
        ([field_part("sha265", b"x"), file_part("a.txt")], "unknown_field"),
        ([file_part("a.txt"), field_part("sha256", b"x")], "bad_sha256"),
        ([file_part("a.txt")] + [field_part("sha256", b"")] * 2, "fields_not_aligned"),
        (
            [file_part("a.txt")] + [field_part("numbered", b"")] * 3,
            "fields_not_aligned",
        ),
        ([file_part("a.txt"), field_part("sha256", b"\xff")], "headers_unreadable"),
        (
            [file_part("a.txt"), field_part("relative_path", b"../a.txt")],
            "path_not_relative",
        ),
        ([field_part("numbered", b"1")] * 1001, "too_many_parts"),
        ([file_part("a.exe", b"")] * 101, "too_many_parts"),
        ([field_part("relative_path", b"a" * 10**7)], "fields_too_long"),
        ([b"X-Long: " + b"a" * 10**6 + b"\r\n\r\n"], "headers_unreadable"),
        ([b"\r\nno headers"], "headers_unreadable"),
        ([b"Content-Disposition: attachment\r\n\r\n"], "headers_unreadable"),
        (
            [file_part("a.txt", b"YQ", "\r\nContent-Transfer-Encoding: base64")],
            "malformed_body",
        ),
    ],
)
def test_parts_that_are_not_as_they_should_be_are_refused(
    sender: Client, session: UploadSession, parts: list[bytes], code: str
) -> None:
    assert told(post(sender, session, *parts)) == (400, code)
    assert nothing_is_kept(session)


@pytest.mark.parametrize(
    "body",
    [
        b"preamble\r\n" + body_of(file_part("a.txt")),
        body_of(file_part("a.txt")).replace(b"--\r\n", b"xx\r\n"),
        f"--{BOUNDARY}".encode() * 200,
        b"\x00" * 5000,
    ],
)
def test_a_body_that_is_no_multipart_is_refused(
    sender: Client, session: UploadSession, body: bytes
) -> None:
    assert post_body(sender, session, body).status_code == 400
    assert nothing_is_kept(session)


def test_a_file_under_another_field_is_refused_by_name(
    sender: Client, session: UploadSession
) -> None:
    part = file_part("a.txt").replace(b'name="file"', b'name="files"')

    assert told(post(sender, session, part)) == (400, "unknown_field")


def test_an_encoded_body_is_refused(sender: Client, session: UploadSession) -> None:
    response = post(sender, session, file_part("a.txt"), HTTP_CONTENT_ENCODING="gzip")

    assert told(response) == (400, "malformed_body")


def test_a_file_without_bytes_is_kept_where_the_setting_allows_it(
    sender: Client, session: UploadSession, settings: Any
) -> None:
    assert post(sender, session, file_part("a.txt", b"")).status_code == 201
    settings.ACCEPT_EMPTY_FILES = False

    refused = post(sender, session, file_part("b.txt", b""))

    assert told(refused) == (400, "empty_file")
    assert session.tempuploadedfile_set.count() == 1


def test_a_refused_name_stands_on_one_line_of_the_log(
    sender: Client, session: UploadSession, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING, "upload.answers"):
        post(sender, session, file_part("a\u202e\u2028%s{0}\x1b[31m.txt"))

    (line,) = [
        record.getMessage() for record in caplog.records if "Refused" in record.message
    ]
    assert line.isprintable()


class FullDisk:
    """Chunks after whose first the disk is full."""

    def __iter__(self) -> Any:
        yield b"first"
        raise OSError(errno.ENOSPC, "No space left on device")


def test_nothing_staged_stays_after_the_disk_was_full(session: UploadSession) -> None:
    with Staging() as staging, pytest.raises(OSError, match="No space left"):
        staging.take("a.txt", FullDisk())

    assert stored_files("temp") == []


@pytest.mark.parametrize(
    ("code", "status"), [(errno.ENOSPC, 507), (errno.EDQUOT, 507), (errno.EIO, 503)]
)
def test_faults_of_the_disk_have_their_own_status(code: int, status: int) -> None:
    assert answers.status_of(OSError(code, "fault")) == status


def test_bytes_that_cannot_be_read_are_nothing_to_correct() -> None:
    told = answers.told(SourceUnreadable("the disk"))
    assert answers.status_of(SourceUnreadable("the disk")) == 503
    assert "administrator" in told["hint"]


def test_a_request_that_does_not_fit_on_the_disk_is_refused_before_it_is_read(
    sender: Client, session: UploadSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("upload.paths.os.statvfs", lambda folder: NoSpace)

    response = post(sender, session, file_part("a.txt"))

    assert told(response) == (507, "storage_full")
    assert nothing_is_kept(session)


class NoSpace:
    f_bavail = 0
    f_frsize = 4096


class Hangup:
    """A body whose sender goes away in the middle of a file."""

    def __init__(self, *chunks: bytes) -> None:
        self._chunks = list(chunks)

    def read(self, size: int) -> bytes:
        if not self._chunks:
            raise UnreadablePostError("connection reset")
        return self._chunks.pop(0)


def test_a_sender_who_goes_away_leaves_nothing(session: UploadSession) -> None:
    start = body_of(file_part("a.txt", b"a" * 100_000))[:50_000]

    with pytest.raises(UnreadablePostError):
        intake.take(session, Hangup(start), BOUNDARY.encode(), Sender(None, "test"))

    assert nothing_is_kept(session)


def test_the_limit_of_a_request_is_that_of_one_file(session: UploadSession) -> None:
    most = conf.max_single_size_bytes() + intake.OVERHEAD_BYTES

    with pytest.raises(intake.TooLarge):
        intake.require_length(session, str(most + 1))


def test_a_request_without_a_host_we_know_is_refused(session: UploadSession) -> None:
    client = Client(headers={"host": "evil.example"})

    assert client.get(files_url(session)).status_code == 400
