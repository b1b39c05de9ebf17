"""Resumable uploads: offsets, digests and locks, request by request."""

import errno
import hashlib
from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

from tests.upload.http import nothing_is_kept, stored_files, told
from tests.upload.tus_requests import (
    PIECE,
    VERSION,
    b64,
    begin,
    content_of,
    metadata,
    offset_of,
    send,
    tus_url,
)
from upload import partials, prefix_digest, unfinished
from upload.copy_engine import Receipt
from upload.errors import DestinationUnreachable, ShortWrite, SourceUnreadable
from upload.models import TempUploadedFile, UnfinishedUpload, UploadSession
from upload.states import SessionStatus

pytestmark = pytest.mark.django_db


def test_a_file_sent_in_pieces_is_an_ordinary_temporary_file(
    client: Client, session: UploadSession
) -> None:
    url = begin(client, session, 10, relative_path="box/1")["Location"]

    assert send(client, url, 0, b"alpha").status_code == 204
    assert send(client, url, 5, b"betas")["Upload-Offset"] == "10"

    row = session.tempuploadedfile_set.get()
    assert row.sha256 == hashlib.sha256(b"alphabetas").hexdigest()
    assert (row.size, row.relative_path) == (10, "box/1")
    assert content_of(session) == b"alphabetas"


def test_an_unfinished_upload_is_no_file(
    client: Client, session: UploadSession
) -> None:
    send(client, begin(client, session, 10)["Location"], 0, b"alpha")

    session.refresh_from_db()
    assert session.status == SessionStatus.CREATED
    assert session.total_files == 0
    assert not TempUploadedFile.objects.exists()


def test_the_digest_goes_on_in_another_process(
    client: Client, session: UploadSession
) -> None:
    url = begin(client, session, 10)["Location"]
    send(client, url, 0, b"alpha")

    prefix_digest.forget(UnfinishedUpload.objects.get().uuid)
    send(client, url, 5, b"betas")

    assert session.tempuploadedfile_set.get().sha256 == (
        hashlib.sha256(b"alphabetas").hexdigest()
    )


def test_bytes_above_the_offset_are_cut_off(
    client: Client, session: UploadSession
) -> None:
    url = begin(client, session, 10)["Location"]
    send(client, url, 0, b"alpha")
    (partial,) = stored_files("temp")
    partial.write_bytes(b"alpha, and what a crash left")

    send(client, url, 5, b"betas")

    assert content_of(session) == b"alphabetas"


@pytest.mark.parametrize("offset", [0, 3, 6, 10])
def test_a_wrong_offset_is_told_the_true_one(
    client: Client, session: UploadSession, offset: int
) -> None:
    url = begin(client, session, 20)["Location"]
    send(client, url, 0, b"alpha")

    answer = send(client, url, offset, b"alpha")

    assert told(answer) == (409, "offset_conflict")
    assert answer["Upload-Offset"] == "5"
    assert offset_of(client, url) == 5


def test_a_lost_last_answer_is_found_again(
    client: Client, session: UploadSession
) -> None:
    url = begin(client, session, 5)["Location"]
    send(client, url, 0, b"alpha")

    assert offset_of(client, url) == 5
    assert told(send(client, url, 0, b"alpha")) == (409, "offset_conflict")
    assert content_of(session) == b"alpha"


def test_a_wrong_checksum_drops_the_piece(
    client: Client, session: UploadSession
) -> None:
    url = begin(client, session, 10)["Location"]
    wrong = "sha256 " + b64(hashlib.sha256(b"other").digest())

    answer = send(client, url, 0, b"alpha", HTTP_UPLOAD_CHECKSUM=wrong)

    assert told(answer) == (460, "checksum_mismatch")
    assert offset_of(client, url) == 0
    assert [path.stat().st_size for path in stored_files("temp")] == [0]


@pytest.mark.parametrize("algorithm", ["sha1", "sha256", "md5"])
def test_a_right_checksum_is_taken(
    client: Client, session: UploadSession, algorithm: str
) -> None:
    url = begin(client, session, 5)["Location"]
    right = f"{algorithm} {b64(hashlib.new(algorithm, b'alpha').digest())}"

    assert send(client, url, 0, b"alpha", HTTP_UPLOAD_CHECKSUM=right).status_code == 204


@pytest.mark.django_db(transaction=True)
def test_a_wrong_declared_digest_ends_the_upload(
    client: Client, session: UploadSession
) -> None:
    url = begin(client, session, 5, sha256="0" * 64)["Location"]

    assert told(send(client, url, 0, b"alpha")) == (460, "digest_mismatch")
    assert nothing_is_kept(session)
    assert client.head(url, **VERSION).status_code == 404


@pytest.mark.django_db(transaction=True)
def test_bytes_of_another_kind_end_the_upload(
    client: Client, session: UploadSession
) -> None:
    url = begin(client, session, 5, filename="a.pdf")["Location"]

    assert told(send(client, url, 0, b"alpha")) == (400, "type_mismatch")
    assert nothing_is_kept(session)


def test_two_requests_never_write_at_once(
    client: Client, session: UploadSession
) -> None:
    url = begin(client, session, 10)["Location"]

    with unfinished.held(UnfinishedUpload.objects.get()):
        answer = send(client, url, 0, b"alpha")

    assert told(answer) == (423, "upload_locked")
    assert offset_of(client, url) == 0


@pytest.mark.django_db(transaction=True)
def test_an_upload_is_terminated(client: Client, session: UploadSession) -> None:
    url = begin(client, session, 10)["Location"]

    assert client.delete(url, **VERSION).status_code == 204

    assert nothing_is_kept(session)
    assert client.head(url, **VERSION).status_code == 404


def test_a_file_is_sent_with_its_creation(
    client: Client, session: UploadSession
) -> None:
    answer = client.post(
        tus_url(session),
        b"alpha",
        content_type=PIECE,
        HTTP_UPLOAD_LENGTH="5",
        HTTP_UPLOAD_METADATA=metadata(filename="a.txt"),
        **VERSION,
    )

    assert (answer.status_code, answer["Upload-Offset"]) == (201, "5")
    assert session.tempuploadedfile_set.get().name == "a.txt"


@pytest.mark.django_db(transaction=True)
def test_a_creation_whose_bytes_are_refused_leaves_nothing(
    client: Client, session: UploadSession
) -> None:
    """B14: its sender is told no address, so nobody could go on with it."""
    answer = client.post(
        tus_url(session),
        b"alpha",
        content_type=PIECE,
        HTTP_UPLOAD_LENGTH="10",
        HTTP_UPLOAD_METADATA=metadata(filename="a.txt"),
        HTTP_UPLOAD_CHECKSUM="sha1 " + b64(hashlib.sha1(b"other").digest()),  # noqa: S324
        **VERSION,
    )

    assert told(answer) == (460, "checksum_mismatch")
    assert not UnfinishedUpload.objects.exists()
    assert nothing_is_kept(session)


def test_an_empty_file_is_whole_at_its_creation(
    client: Client, session: UploadSession
) -> None:
    assert begin(client, session, 0)["Upload-Offset"] == "0"

    assert session.tempuploadedfile_set.get().size == 0


def test_a_crash_before_the_files_row_costs_only_the_last_piece(
    client: Client, session: UploadSession
) -> None:
    """The bytes stand under their key already, but no row has come."""
    url = begin(client, session, 10)["Location"]
    send(client, url, 0, b"alpha")
    upload = UnfinishedUpload.objects.get()
    with unfinished.held(upload) as descriptor:
        key = unfinished.key_of(upload)
        partials.put_in_place(descriptor, upload.uuid, key, Receipt(5, ""))

    assert offset_of(client, url) == 5
    send(client, url, 5, b"betas")

    assert content_of(session) == b"alphabetas"


@pytest.mark.parametrize(
    "fault",
    [
        OSError(errno.EIO, "Input/output error"),
        DestinationUnreachable("away"),
        ShortWrite("0 bytes"),
        SourceUnreadable("a bad sector"),
    ],
    ids=lambda fault: type(fault).__name__,
)
def test_a_fault_of_the_disk_at_the_end_costs_only_the_last_piece(
    client: Client,
    session: UploadSession,
    monkeypatch: pytest.MonkeyPatch,
    fault: OSError,
) -> None:
    """The bytes stand under their key by then; they go back and not away."""
    url = begin(client, session, 10)["Location"]
    send(client, url, 0, b"alpha")

    with monkeypatch.context() as sick:
        sick.setattr("upload.staging.fingerprint", failing(fault))
        failed = send(client, url, 5, b"betas")

    assert failed.status_code == 503
    assert offset_of(client, url) == 5
    assert send(client, url, 5, b"betas").status_code == 204
    assert content_of(session) == b"alphabetas"


def failing(fault: OSError) -> Callable[..., str]:
    def fail(*_arguments: Any) -> str:
        raise fault

    return fail
