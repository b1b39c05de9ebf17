"""Uploaded files behave as the seed document says: bytes go when rows have gone."""

from pathlib import Path
from typing import Any

import pytest
from django.db import transaction
from django.urls import reverse

from tests.make import make_session, make_upload
from upload.errors import DigestMismatch, SessionBusy
from upload.models import (
    PermUploadedFile,
    TempUploadedFile,
    UploadSession,
    delete_file_on_model_delete,
    session_upload_location,
)
from upload.states import JobKind, SessionStatus

S = SessionStatus
on_real_commits = pytest.mark.django_db(transaction=True)


def first_file(status: S = S.UPLOADING) -> Any:
    session = make_session(status, files={"a.txt": b"alpha"})
    return session.get_uploads()[0]


def bytes_are_there(row: Any) -> bool:
    return bool(row.file_upload.storage.exists(row.file_upload.name))


@pytest.mark.django_db
def test_the_upload_location_holds_neither_name_nor_token() -> None:
    session = make_session()
    row = TempUploadedFile(session=session)

    location = session_upload_location(row, "../../secret name.txt")

    assert "secret" not in location
    assert session.token not in location
    assert session.uuid.hex in location


@pytest.mark.django_db
@pytest.mark.parametrize("status", [S.UPLOADING, S.STORED])
def test_exists_asks_the_storage(status: S) -> None:
    row = first_file(status)
    assert row.exists is True

    row.file_upload.storage.delete(row.file_upload.name)

    assert row.exists is False


@pytest.mark.django_db
def test_a_row_without_a_file_does_not_exist() -> None:
    assert TempUploadedFile(session=make_session(), name="x").exists is False


@pytest.mark.django_db
@pytest.mark.parametrize("status", [S.UPLOADING, S.STORED])
def test_copy_writes_the_same_bytes(status: S, tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    target = tmp_path / "out" / "copy.txt"

    first_file(status).copy(str(target))

    assert target.read_bytes() == b"alpha"


@pytest.mark.django_db
def test_copy_never_overwrites(tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    target = tmp_path / "out" / "copy.txt"
    target.write_bytes(b"somebody else's")

    with pytest.raises(FileExistsError):
        first_file().copy(str(target))

    assert target.read_bytes() == b"somebody else's"


@pytest.mark.django_db
def test_copy_refuses_bytes_that_are_not_those_received(tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    row = first_file()
    path = Path(row.file_upload.path)
    path.write_bytes(b"ALPHA")

    with pytest.raises(DigestMismatch):
        row.copy(str(tmp_path / "out" / "copy.txt"))

    assert not (tmp_path / "out" / "copy.txt").exists()


@pytest.mark.django_db
def test_copy_of_missing_bytes_is_file_not_found(tmp_path: Path) -> None:
    row = first_file()
    row.file_upload.storage.delete(row.file_upload.name)

    with pytest.raises(FileNotFoundError):
        row.copy(str(tmp_path / "copy.txt"))


@on_real_commits
def test_remove_deletes_the_bytes_and_counts_the_file_out() -> None:
    row = first_file()
    storage, key = row.file_upload.storage, row.file_upload.name

    row.remove()

    row.refresh_from_db()
    assert row.exists is False
    assert not storage.exists(key)
    assert UploadSession.objects.get().total_files == 0


@on_real_commits
def test_remove_twice_is_harmless() -> None:
    row = first_file()

    row.remove()
    row.remove()

    assert UploadSession.objects.get().total_files == 0


@pytest.mark.django_db
def test_remove_waits_for_no_job() -> None:
    row = first_file()
    row.session.job_set.create(kind=JobKind.STORE, session_uuid=row.session.uuid)

    with pytest.raises(SessionBusy):
        row.remove()

    assert row.exists is True


@pytest.mark.django_db
@pytest.mark.parametrize("status", [S.UPLOADING, S.STORED])
def test_the_media_url_is_the_storages_own(status: S) -> None:
    row = first_file(status)

    assert row.get_file_media_url() == row.file_upload.url
    assert row.session.token not in row.get_file_media_url()


@pytest.mark.django_db
def test_the_media_url_of_missing_bytes_is_file_not_found() -> None:
    row = first_file()
    row.file_upload.storage.delete(row.file_upload.name)

    with pytest.raises(FileNotFoundError, match=r"“a\.txt”"):
        row.get_file_media_url()


@pytest.mark.django_db
def test_the_access_url_stays_valid_when_the_file_is_stored() -> None:
    row = first_file()
    url = row.get_file_access_url()
    row.session.make_uploads_permanent()

    assert url == reverse("upload:uploaded_file", kwargs={"uuid": row.uuid})
    assert row.session.permuploadedfile_set.get().get_file_access_url() == url


@on_real_commits
def test_move_to_permanent_storage_swaps_row_and_bytes() -> None:
    row = first_file()
    storage, key = row.file_upload.storage, row.file_upload.name

    row.move_to_permanent_storage()

    permanent = PermUploadedFile.objects.get()
    assert (permanent.uuid, permanent.name) == (row.uuid, "a.txt")
    assert permanent.file_upload.read() == b"alpha"
    permanent.file_upload.close()
    assert not TempUploadedFile.objects.exists()
    assert not storage.exists(key)


@on_real_commits
def test_move_of_changed_bytes_changes_nothing() -> None:
    row = first_file()
    path = Path(row.file_upload.path)
    path.write_bytes(b"ALPHA")

    with pytest.raises(DigestMismatch):
        row.move_to_permanent_storage()

    assert TempUploadedFile.objects.get().exists
    assert not PermUploadedFile.objects.exists()


@on_real_commits
@pytest.mark.parametrize("status", [S.UPLOADING, S.STORED])
def test_deleting_a_row_deletes_its_bytes_after_the_commit(status: S) -> None:
    row = first_file(status)
    storage, key = row.file_upload.storage, row.file_upload.name

    with transaction.atomic():
        row.delete()
        assert storage.exists(key)

    assert not storage.exists(key)


@on_real_commits
def test_a_rolled_back_delete_keeps_row_and_bytes() -> None:
    row = first_file()

    with pytest.raises(ZeroDivisionError), transaction.atomic():
        TempUploadedFile.objects.all().delete()
        raise ZeroDivisionError

    assert TempUploadedFile.objects.get().exists
    assert UploadSession.objects.get().total_files == 1
    assert bytes_are_there(row)


@on_real_commits
def test_a_bulk_delete_deletes_the_bytes_of_every_row() -> None:
    session = make_session(S.STORED)
    rows = session.get_permanent_uploads()

    session.permuploadedfile_set.all().delete()

    assert not any(bytes_are_there(row) for row in rows)
    session.refresh_from_db()
    assert (session.total_files, session.total_size_bytes) == (0, 0)


@on_real_commits
def test_deleting_a_session_deletes_the_bytes_of_its_files() -> None:
    session = make_session(S.UPLOADING)
    rows = session.get_temporary_uploads()

    session.delete()

    assert not any(bytes_are_there(row) for row in rows)


@on_real_commits
def test_the_signal_handler_may_be_called_by_hand() -> None:
    row = first_file()

    delete_file_on_model_delete(TempUploadedFile, row, using="default")

    assert not bytes_are_there(row)


@pytest.mark.django_db
def test_a_row_saved_by_hand_takes_size_and_digest_and_is_counted() -> None:
    session = make_session()

    row = TempUploadedFile.objects.create(
        session=session, name="b.txt", file_upload=make_upload("b.txt", b"12345")
    )

    session.refresh_from_db()
    assert (row.size, len(row.sha256), session.total_files) == (5, 64, 1)


@pytest.mark.django_db
def test_the_same_name_cannot_stand_twice_in_a_session() -> None:
    row = first_file()

    with pytest.raises(Exception, match=r"(?i)unique"), transaction.atomic():
        TempUploadedFile.objects.create(session=row.session, name="a.txt")
