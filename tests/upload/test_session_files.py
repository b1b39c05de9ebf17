"""A session's files as the seed document says: add, find, list, remove, store."""

from typing import Any

import pytest

from tests.make import make_session, make_upload
from upload.errors import JobFailed, LimitExceeded, NameTaken
from upload.models import (
    PermUploadedFile,
    TempUploadedFile,
)
from upload.states import JobKind, SessionStatus

S = SessionStatus
pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("status", [S.UPLOADING, S.STORED, S.COPYING_FAILED])
def test_size_and_count_include_temporary_and_permanent_files(status: S) -> None:
    session = make_session(status, files={"a.txt": b"12345", "b.txt": b"123"})

    assert (session.upload_size, session.file_count) == (8, 2)


@pytest.mark.parametrize("status", [S.COPYING_IN_PROGRESS, S.REMOVING_IN_PROGRESS])
@pytest.mark.parametrize("name", ["upload_size", "file_count"])
def test_size_and_count_raise_while_files_move(status: S, name: str) -> None:
    session = make_session(status)

    with pytest.raises(ValueError, match="cannot count its files"):
        getattr(session, name)


def test_the_first_file_moves_created_to_uploading() -> None:
    session = make_session()

    temp = session.add_temp_file(make_upload("note.txt", b"hello"))

    session.refresh_from_db()
    assert isinstance(temp, TempUploadedFile)
    assert (temp.name, temp.size, temp.exists) == ("note.txt", 5, True)
    assert temp.sha256 == (
        "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824"
    )
    assert (session.status, session.total_files) == (S.UPLOADING, 1)


@pytest.mark.parametrize("status", set(S) - {S.CREATED, S.UPLOADING})
def test_files_are_refused_in_other_states(status: S) -> None:
    session = make_session(status)

    with pytest.raises(ValueError, match="it cannot take files"):
        session.add_temp_file(make_upload("late.txt"))


def test_a_second_file_of_a_name_is_refused() -> None:
    session = make_session()
    session.add_temp_file(make_upload("a.txt", b"one"))

    with pytest.raises(NameTaken, match=r"“a\.txt”"):
        session.add_temp_file(make_upload("a.txt", b"two"))

    assert session.upload_size == 3


def test_a_file_above_the_total_size_is_refused_and_not_kept(settings: Any) -> None:
    settings.MAX_TOTAL_UPLOAD_SIZE_MB = 1
    session = make_session()

    with pytest.raises(LimitExceeded, match="1 MB"):
        session.add_temp_file(make_upload("big.txt", bytes(1_000_001)))

    session.refresh_from_db()
    assert (session.status, session.file_count) == (S.CREATED, 0)


def test_removing_the_last_file_leaves_the_session_created() -> None:
    session = make_session(S.UPLOADING, files={"a.txt": b"1", "b.txt": b"2"})

    session.remove_temp_file_by_name("a.txt")
    assert session.status == S.UPLOADING

    session.remove_temp_file_by_name("b.txt")
    session.refresh_from_db()
    assert (session.status, session.total_files) == (S.CREATED, 0)


def test_removing_an_unknown_name_says_so() -> None:
    session = make_session(S.UPLOADING)

    with pytest.raises(FileNotFoundError, match=r"“nope.txt”"):
        session.remove_temp_file_by_name("nope.txt")


@pytest.mark.parametrize("status", set(S) - {S.UPLOADING})
def test_removing_by_name_needs_an_uploading_session(status: S) -> None:
    with pytest.raises(ValueError, match="starts only from: Uploading"):
        make_session(status).remove_temp_file_by_name("a.txt")


@pytest.mark.parametrize(
    ("status", "kind"), [(S.UPLOADING, TempUploadedFile), (S.STORED, PermUploadedFile)]
)
def test_a_file_is_found_by_name(status: S, kind: type) -> None:
    session = make_session(status)

    found = session.get_file_by_name("a.txt")

    assert isinstance(found, kind)
    assert found.name == "a.txt"


@pytest.mark.parametrize("status", [S.UPLOADING, S.STORED])
def test_an_unknown_name_is_file_not_found(status: S) -> None:
    with pytest.raises(FileNotFoundError):
        make_session(status).get_file_by_name("nope.txt")


@pytest.mark.parametrize("status", set(S) - {S.UPLOADING, S.STORED})
def test_by_name_needs_uploading_or_stored(status: S) -> None:
    with pytest.raises(ValueError, match="give a file by its name"):
        make_session(status).get_file_by_name("a.txt")


@pytest.mark.parametrize(
    ("status", "temporary", "permanent"),
    [(S.CREATED, 0, 0), (S.UPLOADING, 2, 0), (S.STORED, 0, 2)],
)
def test_uploads_follow_the_state(status: S, temporary: int, permanent: int) -> None:
    session = make_session(status)

    assert len(session.get_temporary_uploads()) == temporary
    assert len(session.get_permanent_uploads()) == permanent
    assert len(session.get_uploads()) == temporary + permanent


@pytest.mark.parametrize(
    "status", [S.EXPIRED, S.COPYING_IN_PROGRESS, S.REMOVING_IN_PROGRESS]
)
@pytest.mark.parametrize(
    "method", ["get_temporary_uploads", "get_permanent_uploads", "get_uploads"]
)
def test_uploads_cannot_be_listed_while_they_move(status: S, method: str) -> None:
    with pytest.raises(ValueError, match="cannot list its"):
        getattr(make_session(status), method)()


def test_remove_temp_uploads_ends_created() -> None:
    session = make_session(S.UPLOADING)

    session.remove_temp_uploads()

    session.refresh_from_db()
    assert (session.status, session.file_count) == (S.CREATED, 0)


def test_remove_temp_uploads_without_save_leaves_the_status() -> None:
    session = make_session(S.UPLOADING)

    session.remove_temp_uploads(save=False)

    session.refresh_from_db()
    assert (session.status, session.file_count) == (S.UPLOADING, 0)


@pytest.mark.parametrize("status", [S.CREATED, S.REMOVING_IN_PROGRESS])
def test_remove_temp_uploads_does_nothing_where_nothing_is_to_do(status: S) -> None:
    session = make_session(status)

    session.remove_temp_uploads()

    session.refresh_from_db()
    assert session.status == status


@pytest.mark.parametrize("status", [S.EXPIRED, S.COPYING_IN_PROGRESS, S.STORED])
def test_remove_temp_uploads_is_refused_elsewhere(status: S) -> None:
    with pytest.raises(ValueError, match="it cannot"):
        make_session(status).remove_temp_uploads()


def test_make_uploads_permanent_stores_every_file() -> None:
    session = make_session(S.UPLOADING)
    uuids = {row.name: row.uuid for row in session.tempuploadedfile_set.all()}

    session.make_uploads_permanent()

    rows = session.permuploadedfile_set.all()
    assert session.status == S.STORED
    assert {row.name: row.uuid for row in rows} == uuids
    assert all(row.exists for row in rows)
    assert (session.total_files, session.total_size_bytes) == (2, 11)


def test_make_uploads_permanent_twice_does_nothing() -> None:
    session = make_session(S.STORED)

    session.make_uploads_permanent()

    assert session.job_set.filter(kind=JobKind.STORE).count() == 1


@pytest.mark.parametrize("status", set(S) - {S.UPLOADING, S.STORED, S.COPYING_FAILED})
def test_make_uploads_permanent_is_refused_elsewhere(status: S) -> None:
    with pytest.raises(ValueError, match="it cannot be stored"):
        make_session(status).make_uploads_permanent()


def test_a_store_with_a_missing_file_fails_and_names_it() -> None:
    session = make_session(S.UPLOADING, files={"gone.txt": b"1", "kept.txt": b"2"})
    row = session.tempuploadedfile_set.get(name="gone.txt")
    row.file_upload.storage.delete(row.file_upload.name)

    with pytest.raises(JobFailed, match=r"gone\.txt"):
        session.make_uploads_permanent()

    session.refresh_from_db()
    assert session.status == S.COPYING_FAILED
    assert [r.name for r in session.permuploadedfile_set.all()] == ["kept.txt"]


def test_quantity_groups_by_accepted_formats(settings: Any) -> None:
    settings.ACCEPTED_FILE_FORMATS = {"PDF": ["pdf"], "Image": ["jpg", "png"]}
    session = make_session(
        S.UPLOADING, files={"a.pdf": b"1", "b.PDF": b"2", "c.png": b"3"}
    )

    text = session.get_quantity_and_unit_of_measure()

    assert "2 PDF files" in text
    assert "1 Image file" in text
    assert "1 Image files" not in text
    assert "3" in text


def test_quantity_is_empty_where_uploads_are_off(settings: Any) -> None:
    settings.FILE_UPLOAD_ENABLED = False

    assert make_session(S.UPLOADING).get_quantity_and_unit_of_measure() == ""


def test_quantity_of_an_empty_session_says_that_there_are_none() -> None:
    assert "0" in make_session().get_quantity_and_unit_of_measure()


@pytest.mark.parametrize("status", set(S) - {S.CREATED, S.UPLOADING, S.STORED})
def test_quantity_is_refused_elsewhere(status: S) -> None:
    with pytest.raises(ValueError, match="cannot"):
        make_session(status).get_quantity_and_unit_of_measure()
