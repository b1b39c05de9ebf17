"""Only orphans that our records explain are deleted; the rest is reported."""

import os
from io import StringIO
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from django.core.management import CommandError, call_command

from tests.make import make_session, make_upload
from tests.upload.tus_requests import begin, offset_of, send
from upload import jobs, orphans, partials, paths, store, tasks, unfinished
from upload.copy_engine import Receipt
from upload.models import PermUploadedFile, TempUploadedFile, UnfinishedUpload
from upload.states import JobKind, SessionStatus
from upload.storage import TempFileStorage, UploadedFileStorage, receive_into

S = SessionStatus
pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def no_grace(settings: Any) -> None:
    settings.ORPHAN_GRACE_HOURS = 0


def plant(storage: Any, session_uuid: Any) -> str:
    """Write bytes as an upload leaves them whose row was never committed."""
    key = paths.key_for(session_uuid, uuid4())
    receive_into(storage, key, [b"orphan"])
    return key


def test_files_with_rows_stay() -> None:
    temp, perm = make_session(S.UPLOADING), make_session(S.STORED)

    found = orphans.sweep()

    assert (found.deleted, found.unexplained, found.missing) == ([], [], [])
    assert temp.file_count == perm.file_count == 2


def test_an_upload_that_never_committed_is_deleted() -> None:
    key = plant(TempFileStorage(), make_session().uuid)

    assert orphans.sweep().deleted == [f"temp:{key}"]

    assert not TempFileStorage().exists(key)


def test_a_fresh_orphan_is_left_alone(settings: Any) -> None:
    settings.ORPHAN_GRACE_HOURS = 24
    key = plant(TempFileStorage(), make_session().uuid)

    assert orphans.sweep().deleted == []

    assert TempFileStorage().exists(key)


def test_an_old_file_that_was_linked_just_now_is_left_alone(settings: Any) -> None:
    settings.ORPHAN_GRACE_HOURS = 1
    session = make_session(S.STORED)
    row = session.permuploadedfile_set.first()
    os.utime(row.file_upload.path, (0, 0))
    PermUploadedFile.objects.all()._raw_delete("default")

    found = orphans.sweep()

    assert (found.deleted, found.unexplained) == ([], [])


def test_bytes_of_an_upload_that_may_go_on_are_left_alone(
    client_for: Any, uploader: Any
) -> None:
    """A crash left them under their key, and their sender has not come back yet."""
    session, client = make_session(user=uploader), client_for(uploader)
    url = begin(client, session, 10)["Location"]
    send(client, url, 0, b"alpha")
    upload = UnfinishedUpload.objects.get()
    key = unfinished.key_of(upload)
    with unfinished.held(upload) as descriptor:
        partials.put_in_place(descriptor, upload.uuid, key, Receipt(5, ""))

    found = orphans.sweep()

    assert (found.deleted, found.unexplained) == ([], [])
    assert offset_of(client, url) == 5


def test_a_dry_run_deletes_nothing() -> None:
    key = plant(TempFileStorage(), make_session().uuid)

    assert orphans.sweep(dry_run=True).deleted == [f"temp:{key}"]

    assert TempFileStorage().exists(key)


@pytest.mark.parametrize("storage", [TempFileStorage(), UploadedFileStorage()])
def test_bytes_of_an_unknown_session_are_reported_and_kept(storage: Any) -> None:
    key = plant(storage, uuid4())

    found = orphans.sweep()

    assert (found.deleted, len(found.unexplained)) == ([], 1)
    assert storage.exists(key)


def test_permanent_bytes_whose_rows_a_backup_lacks_are_kept() -> None:
    session = make_session(S.STORED)
    keys = [f.file_upload.name for f in session.get_permanent_uploads()]
    PermUploadedFile.objects.all()._raw_delete("default")

    found = orphans.sweep()

    assert sorted(found.unexplained) == sorted(f"uploaded:{key}" for key in keys)
    assert all(UploadedFileStorage().exists(key) for key in keys)


def test_bytes_that_a_given_up_removal_left_are_deleted(
    clerk: Any, settings: Any
) -> None:
    settings.REMOVAL_NEEDS_APPROVAL = False
    session = make_session(S.STORED)
    keys = [f.file_upload.name for f in session.get_permanent_uploads()]
    tasks.run_job(jobs.request(session, JobKind.REMOVE, clerk, reason="old").pk)
    for key in keys:
        receive_into(UploadedFileStorage(), key, [b"as if never unlinked"])

    assert len(orphans.sweep().deleted) == 2


def test_a_session_with_an_active_job_is_left_alone(clerk: Any) -> None:
    session = make_session(S.UPLOADING)
    key = plant(TempFileStorage(), session.uuid)
    jobs.request(session, JobKind.STORE, clerk)

    assert orphans.sweep().deleted == []

    assert TempFileStorage().exists(key)


def test_a_row_without_bytes_is_reported() -> None:
    session = make_session()
    row = session.add_temp_file(make_upload("lost.txt"))
    Path(row.file_upload.path).unlink()

    assert orphans.sweep().missing == [f"temp:{row.uuid}"]

    assert TempUploadedFile.objects.filter(pk=row.pk).exists()


def test_the_command_fails_where_something_is_missing() -> None:
    row = make_session().add_temp_file(make_upload("lost.txt"))
    Path(row.file_upload.path).unlink()
    out = StringIO()

    with pytest.raises(CommandError, match="1 files have no bytes"):
        call_command("reconcile_storage", stdout=out)

    assert f"Bytes missing: temp:{row.uuid}" in out.getvalue()


def test_permanent_bytes_that_are_the_only_ones_are_never_deleted() -> None:
    """A database restored from before a store: the temporary row is back, its bytes
    are not."""
    session = make_session(S.UPLOADING, {"a.txt": b"alpha"})
    row = session.tempuploadedfile_set.get()
    key = store.place_single(row)
    row.file_upload.storage.delete(row.file_upload.name)

    found = orphans.sweep()

    assert (found.deleted, found.missing) == ([], [f"temp:{row.uuid}"])
    assert UploadedFileStorage().exists(key)
