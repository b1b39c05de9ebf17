"""The bad-input matrix by tus, row by row; the codes stand in the names of the tests.

What the plain endpoint does with the same is in ``test_bad_input`` and in
``test_bad_input_matrix``.
"""

import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.test import Client

from tests.make import make_session
from tests.services.clamav import EICAR, clamd
from tests.upload.http import nothing_is_kept, stored_files, told
from tests.upload.tus_requests import (
    PIECE,
    VERSION,
    begin,
    content_of,
    metadata,
    offset_of,
    send,
    tus_url,
)
from upload.models import TempUploadedFile, UnfinishedUpload, UploadSession
from upload.states import SessionStatus

pytestmark = pytest.mark.django_db(transaction=True)


def nothing_is_begun(session: UploadSession) -> bool:
    return nothing_is_kept(session) and not UnfinishedUpload.objects.exists()


@pytest.mark.parametrize(
    ("raw", "kept"),
    [
        ("../../x.txt", "x.txt"),
        (r"..\..\x.txt", "x.txt"),
        ("/etc/x.txt", "x.txt"),
        ("C:\\x.txt", "x.txt"),
        ("%2e%2e%2fx.txt", "%2e%2e%2fx.txt"),
        ("CON.txt", "CON.txt"),
        ("=1+1;`$(x)`.txt", "=1+1;`$(x)`.txt"),
        ("{0.__class__}{{7*7}}%s.txt", "{0.__class__}{{7*7}}%s.txt"),
        ("あ" * 83 + "ab.txt", "あ" * 83 + "ab.txt"),
    ],
)
def test_b1_b4_b6_b7_b18_an_odd_name_is_a_name_and_never_a_path(
    client: Client, session: UploadSession, raw: str, kept: str
) -> None:
    send(client, begin(client, session, 5, filename=raw)["Location"], 0, b"alpha")

    row = session.tempuploadedfile_set.get()
    assert row.name == kept
    assert [path.name for path in stored_files("temp")] == [row.uuid.hex]


@pytest.mark.parametrize(
    ("raw", "code"),
    [
        ("..", "name_empty"),
        ("", "name_empty"),
        ("a\x00b.txt", "name_has_control_characters"),
        ("a\r\nb.txt", "name_has_control_characters"),
        ("a\x7fb.txt", "name_has_control_characters"),
        ("a\u202egnp.txt", "name_has_invisible_characters"),
        ("a\ufeff.txt", "name_has_invisible_characters"),
        ("あ" * 83 + "abc.txt", "name_too_long"),
        ("noextension", "extension_not_accepted"),
        ("a.pdf.exe", "extension_not_accepted"),
        ("a.phtml.", "extension_not_accepted"),
        ("a.svgz", "extension_not_accepted"),
    ],
)
def test_b1_to_b8_a_name_that_breaks_the_policy_is_refused(
    client: Client, session: UploadSession, raw: str, code: str
) -> None:
    assert told(begin(client, session, 5, filename=raw)) == (400, code)
    assert nothing_is_begun(session)


@pytest.mark.parametrize(
    "header",
    [
        "filename Yf8udHh0",  # a\xff.txt
        "filename Ye2ggC50eHQ=",  # a lone surrogate
        "filename YcCvLnR4dA==",  # an overlong slash
        "filename !!!!",
        "filename YS50eHQ=,filename Yi50eHQ=",
        "filename " + "A" * 20_000,
    ],
)
def test_b5_b16_metadata_that_are_no_text_are_refused(
    client: Client, session: UploadSession, header: str
) -> None:
    answer = client.post(
        tus_url(session),
        b"",
        HTTP_UPLOAD_LENGTH="5",
        HTTP_UPLOAD_METADATA=header,
        content_type="",
        **VERSION,
    )

    assert told(answer)[0] == 400
    assert nothing_is_begun(session)


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.pdf", b"GIF89a" + bytes(30)),
        ("a.png", b"%PDF-1.4\n"),
        ("a.txt", b"MZ" + bytes(100)),
    ],
)
def test_b9_bytes_of_another_kind_are_refused_and_gone(
    client: Client, session: UploadSession, name: str, content: bytes
) -> None:
    url = begin(client, session, len(content), filename=name, filetype="text/plain")

    assert told(send(client, url["Location"], 0, content)) == (400, "type_mismatch")
    assert nothing_is_begun(session)


@pytest.mark.parametrize(
    ("length", "status"),
    [("", 400), ("-1", 400), ("ten", 400), ("1" * 40, 400), (str(10**17), 413)],
)
def test_b13_a_length_is_judged_at_the_creation(
    client: Client, session: UploadSession, length: str, status: int
) -> None:
    answer = client.post(
        tus_url(session),
        b"",
        HTTP_UPLOAD_LENGTH=length,
        HTTP_UPLOAD_METADATA=metadata(filename="a.txt"),
        content_type="",
        **VERSION,
    )

    assert told(answer)[0] == status
    assert nothing_is_begun(session)


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        ({"CONTENT_LENGTH": ""}, (411, "length_required")),
        ({"CONTENT_LENGTH": "-1"}, (400, "tus_refused")),
        ({"HTTP_CONTENT_ENCODING": "gzip"}, (400, "malformed_body")),
        ({"CONTENT_LENGTH": "500"}, (413, "too_large")),
    ],
)
def test_b13_the_body_of_a_piece_says_how_long_it_is(
    client: Client, session: UploadSession, headers: Any, expected: tuple[int, str]
) -> None:
    url = begin(client, session, 10)["Location"]

    assert told(send(client, url, 0, b"alpha", **headers)) == expected
    assert offset_of(client, url) == 0


def test_b14_a_wrong_digest_of_the_whole_ends_it(
    client: Client, session: UploadSession
) -> None:
    other = hashlib.sha256(b"other").hexdigest()
    url = begin(client, session, 5, sha256=other)["Location"]

    assert told(send(client, url, 0, b"alpha")) == (460, "digest_mismatch")
    assert nothing_is_begun(session)


def test_b15_another_files_offset_is_refused_with_the_true_one(
    client: Client, session: UploadSession
) -> None:
    one = begin(client, session, 10, filename="one.txt")["Location"]
    other = begin(client, session, 10, filename="other.txt")["Location"]
    send(client, one, 0, b"alpha")

    answer = send(client, other, offset_of(client, one), b"alpha")

    assert told(answer) == (409, "offset_conflict")
    assert answer["Upload-Offset"] == "0"


def test_b15_a_piece_sent_again_changes_nothing(
    client: Client, session: UploadSession
) -> None:
    url = begin(client, session, 10)["Location"]
    send(client, url, 0, b"alpha")

    assert send(client, url, 0, b"ALPHA").status_code == 409
    send(client, url, 5, b"betas")

    assert content_of(session) == b"alphabetas"


def test_b22_an_upload_is_not_found_through_another_session(
    client: Client, session: UploadSession, uploader: Any
) -> None:
    url = begin(client, session, 10)["Location"]
    other = make_session(user=uploader)
    guessed = url.replace(str(session.uuid), str(other.uuid))

    assert client.head(guessed, **VERSION).status_code == 404
    assert send(client, guessed, 0, b"alpha").status_code == 404


def test_b23_no_answer_tells_the_token(client: Client, session: UploadSession) -> None:
    begun = begin(client, session, 10)
    asked = client.head(begun["Location"], **VERSION)

    for answer in (begun, asked, client.get(tus_url(session))):
        assert session.token not in answer.content.decode() + str(answer.headers)


@pytest.mark.parametrize(
    ("deed", "status"),
    [(UploadSession.expire, 410), (UploadSession.make_uploads_permanent, 409)],
    ids=["expire", "store"],
)
def test_b30_the_last_piece_loses_against_what_closed_the_session(
    client: Client, deed: Callable[[UploadSession], Any], status: int, uploader: Any
) -> None:
    session = make_session(SessionStatus.UPLOADING, {"b.txt": b"b"}, user=uploader)
    url = begin(client, session, 10)["Location"]
    send(client, url, 0, b"alpha")

    deed(UploadSession.objects.get(pk=session.pk))
    answer = send(client, url, 5, b"betas")

    assert told(answer)[0] == status
    assert not TempUploadedFile.objects.filter(name="a.txt").exists()


def test_b35_an_upload_that_ended_gives_its_room_back(
    client: Client, session: UploadSession, settings: Any
) -> None:
    settings.MAX_TOTAL_UPLOAD_COUNT = 1
    url = begin(client, session, 5)["Location"]
    full = begin(client, session, 5, filename="b.txt")

    client.delete(url, **VERSION)

    assert told(full) == (409, "limit_exceeded")
    assert begin(client, session, 5, filename="b.txt").status_code == 201


def test_b37_malware_ends_the_upload(
    client: Client, session: UploadSession, settings: Any, tmp_path: Path
) -> None:
    url = begin(client, session, len(EICAR))["Location"]

    with clamd(tmp_path / "clamd") as server:
        settings.CLAMD_ADDRESS = f"127.0.0.1:{server.port}"
        answer = send(client, url, 0, EICAR)

    assert told(answer) == (422, "malware_found")
    assert nothing_is_begun(session)


def test_b37_a_scanner_that_is_down_costs_the_last_piece_only(
    client: Client, session: UploadSession, settings: Any, tmp_path: Path
) -> None:
    url = begin(client, session, 10)["Location"]
    send(client, url, 0, b"alpha")

    with clamd(tmp_path / "clamd") as server:
        settings.CLAMD_ADDRESS = f"127.0.0.1:{server.port}"
        server.stop()
        refused = send(client, url, 5, b"betas")
    with clamd(tmp_path / "again") as server:
        settings.CLAMD_ADDRESS = f"127.0.0.1:{server.port}"
        kept = send(client, url, offset_of(client, url), b"betas")

    assert told(refused) == (503, "scanner_unavailable")
    assert kept.status_code == 204
    assert content_of(session) == b"alphabetas"


def test_b38_a_refused_name_stands_on_one_line_of_the_log(
    client: Client, session: UploadSession, caplog: pytest.LogCaptureFixture
) -> None:
    begin(client, session, 5, filename="a\r\nERROR forged\x1b[31m.txt")

    (line,) = [one for one in caplog.messages if "name_has_control" in one]
    assert "\n" not in line
    assert "\x1b" not in line


def test_b32_no_answer_is_kept_by_a_cache(
    client: Client, session: UploadSession
) -> None:
    begun = begin(client, session, 10)

    for answer in (begun, client.head(begun["Location"], **VERSION)):
        assert "no-store" in answer["Cache-Control"]


def test_b16_a_piece_of_another_kind_is_refused(
    client: Client, session: UploadSession
) -> None:
    url = begin(client, session, 10)["Location"]

    answer = client.patch(
        url, b"alpha", content_type=f"{PIECE}; x=y", HTTP_UPLOAD_OFFSET="0", **VERSION
    )

    assert told(answer)[0] == 415
    assert offset_of(client, url) == 0
