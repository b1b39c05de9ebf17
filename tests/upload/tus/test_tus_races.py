"""F27: requests at one upload, or for one name, at the same instant."""

from typing import Any

import pytest
from django.http import UnreadablePostError
from django.test import Client

from tests.racing import race
from tests.upload.http import nothing_is_kept, told
from tests.upload.tus_requests import VERSION, begin, content_of, offset_of, send
from upload import resumable, unfinished
from upload.errors import NotFound
from upload.models import UnfinishedUpload, UploadSession
from upload.resumable import Piece
from upload.tus_errors import OffsetConflict, UploadLocked

pytestmark = pytest.mark.django_db(transaction=True)
AT_ONCE = 4


def twin_of(client: Client) -> Client:
    """Return another client of the same person, for a thread of its own."""
    twin = Client()
    twin.cookies = client.cookies
    return twin


@pytest.mark.parametrize("length", [5, 10], ids=["the last piece", "one before"])
def test_the_same_piece_sent_four_times_at_once_is_taken_once(
    client: Client, session: UploadSession, length: int
) -> None:
    url = begin(client, session, length)["Location"]
    twins = [twin_of(client) for _number in range(AT_ONCE)]

    answers = race(AT_ONCE, lambda n: send(twins[n], url, 0, b"alpha").status_code)

    assert sorted(answers)[0] == 204
    assert set(sorted(answers)[1:]) <= {409, 423}
    assert offset_of(client, url) == 5


def test_two_files_of_one_name_at_once_end_as_one(
    client: Client, session: UploadSession
) -> None:
    urls = [begin(client, session, 5)["Location"] for _number in range(2)]
    twins = [twin_of(client) for _number in urls]

    answers = race(2, lambda n: send(twins[n], urls[n], 0, b"alpha"))

    assert sorted(answer.status_code for answer in answers) == [204, 409]
    assert told(next(a for a in answers if a.status_code == 409))[1] == "name_taken"
    assert content_of(session) == b"alpha"


def test_an_upload_that_is_being_written_to_is_not_terminated(
    client: Client, session: UploadSession
) -> None:
    url = begin(client, session, 10)["Location"]
    upload = resumable.find(session, UnfinishedUpload.objects.get().uuid)
    seen = []

    def chunks() -> Any:
        yield b"alpha"
        seen.append(told(client.delete(url, **VERSION)))
        yield b"betas"

    resumable.append(upload, 0, Piece(chunks(), 10))

    assert seen == [(423, "upload_locked")]
    assert content_of(session) == b"alphabetas"


def test_pieces_and_a_termination_at_once_leave_a_file_or_nothing(
    client: Client, session: UploadSession
) -> None:
    for number in range(5):
        url = begin(client, session, 5, filename=f"{number}.txt")["Location"]
        one, other = twin_of(client), twin_of(client)
        deeds = [
            lambda one=one, url=url: send(one, url, 0, b"alpha").status_code,
            lambda other=other, url=url: other.delete(url, **VERSION).status_code,
        ]

        sent, ended = race(2, lambda n, deeds=deeds: deeds[n]())

        there = session.tempuploadedfile_set.filter(name=f"{number}.txt").exists()
        assert there is (sent == 204), (sent, ended)
        assert ended in {204, 404, 423}


def test_a_session_that_was_closed_while_a_piece_came_keeps_nothing(
    session: UploadSession, client: Client
) -> None:
    begin(client, session, 10)
    upload = resumable.find(session, UnfinishedUpload.objects.get().uuid)
    row = UnfinishedUpload.objects.filter(pk=upload.pk)

    def chunks() -> Any:
        yield b"alpha"
        row.delete()  # as a sweep does that found the lock free a moment ago
        yield b"betas"

    with pytest.raises(NotFound):
        resumable.append(upload, 0, Piece(chunks(), 10))

    unfinished.sweep(UnfinishedUpload.objects.all())
    assert not session.tempuploadedfile_set.exists()


@pytest.mark.parametrize("came", [0, 1, 4, 9])
def test_a_sender_cut_off_at_any_byte_goes_on_from_what_came(
    client: Client, session: UploadSession, came: int
) -> None:
    url = begin(client, session, 10)["Location"]
    upload = resumable.find(session, UnfinishedUpload.objects.get().uuid)

    def chunks() -> Any:
        yield b"alphabetas"[:came]
        raise UnreadablePostError("connection reset")

    with pytest.raises(UnreadablePostError):
        resumable.append(upload, 0, Piece(chunks(), 10))

    assert offset_of(client, url) == came
    send(client, url, came, b"alphabetas"[came:])
    assert content_of(session) == b"alphabetas"


def test_a_cut_off_piece_with_a_checksum_keeps_nothing_of_it(
    client: Client, session: UploadSession
) -> None:
    url = begin(client, session, 10)["Location"]
    upload = resumable.find(session, UnfinishedUpload.objects.get().uuid)

    def chunks() -> Any:
        yield b"alpha"
        raise UnreadablePostError("connection reset")

    with pytest.raises(Exception, match="checksum"):
        resumable.append(upload, 0, Piece(chunks(), 10, ("md5", bytes(16))))

    assert offset_of(client, url) == 0
    assert not nothing_is_kept(session)  # its partial, empty, waits for the piece


def test_who_comes_second_is_told_the_offset_or_to_wait(
    session: UploadSession, client: Client
) -> None:
    begin(client, session, 10)
    upload = resumable.find(session, UnfinishedUpload.objects.get().uuid)
    again = resumable.find(session, upload.uuid)

    with unfinished.held(upload), pytest.raises(UploadLocked):
        resumable.append(again, 0, Piece([b"alpha"], 5))
    resumable.append(upload, 0, Piece([b"alpha"], 5))

    with pytest.raises(OffsetConflict):
        resumable.append(again, 0, Piece([b"alpha"], 5))
