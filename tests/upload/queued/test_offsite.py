"""The portal's permanent files with a second place: kept, served, checked, removed."""

from pathlib import Path
from typing import Any

import pytest
from django.core.files.storage import storages
from django.core.management import CommandError, call_command
from django.db import transaction

from portal import places
from tests.make import make_destination, make_session, run
from tests.upload.queued.made import known, queued, work
from tests.upload.queued.remotes import entry_of
from upload import jobs, orphans
from upload.models import UploadSession
from upload.queued_storage.models import QueuedFile
from upload.states import JobKind, JobState, SessionStatus

pytestmark = pytest.mark.django_db(transaction=True)
FILES = {"a.txt": b"alpha", "b.pdf": b"%PDF-1"}


@pytest.fixture(params=[True, False], ids=["kept here", "only there"])
def offsite(request: pytest.FixtureRequest, settings: Any) -> Any:
    """Put an S3 server behind the alias, as the portal's settings do."""
    folder = settings.UPLOAD_STORAGE_FOLDER
    remote = entry_of("s3", request)
    entry = places.uploaded(folder, remote, keep_local=request.param)
    settings.STORAGES = settings.STORAGES | {"uploaded": entry}
    return storages["uploaded"]


def stored(transferred: bool = True) -> UploadSession:
    session = make_session(SessionStatus.STORED, FILES)
    if transferred:
        work()
    return session


def keys_of(session: UploadSession) -> list[str]:
    rows = session.permuploadedfile_set.order_by("pk")
    return [str(row.file_upload.name) for row in rows]


def test_a_store_ends_before_the_transfer(offsite: Any) -> None:
    session = stored(transferred=False)

    assert session.status == SessionStatus.STORED
    states = {known(offsite, key).state for key in keys_of(session)}
    assert states == {"due"}
    assert {known(offsite, key).sha256 for key in keys_of(session)} == {
        row.sha256 for row in session.permuploadedfile_set.all()
    }
    assert any("drain" in task["func"] for task in queued())


def test_a_store_links_and_copies_no_byte(offsite: Any, settings: Any) -> None:
    session = make_session(SessionStatus.UPLOADING, {"a.txt": b"alpha"})
    temp = session.tempuploadedfile_set.get()
    before = Path(temp.file_upload.path).stat().st_ino

    session.make_uploads_permanent()

    path = Path(settings.UPLOAD_STORAGE_FOLDER) / keys_of(session)[0]
    assert path.stat().st_ino == before


def test_files_are_opened_wherever_they_are(
    offsite: Any, client_for: Any, clerk: Any
) -> None:
    session = stored()
    file = session.permuploadedfile_set.get(name="a.txt")

    client = client_for(clerk)
    whole = client.get(file.get_file_access_url())
    part = client.get(file.get_file_access_url(), headers={"Range": "bytes=1-2"})

    assert b"".join(whole.streaming_content) == b"alpha"
    assert (part.status_code, b"".join(part.streaming_content)) == (206, b"lp")
    assert file.get_file_media_url().startswith("/media/uploaded/")


def test_files_are_checked_wherever_they_are(offsite: Any) -> None:
    session = stored()

    job = run(session.job_set.get(kind=JobKind.VERIFY))

    assert (job.state, job.files_done) == (JobState.SUCCEEDED, 2)


@pytest.mark.parametrize("offsite", [False], indirect=True)
def test_damage_on_the_remote_is_found(
    offsite: Any, s3_server: Any, settings: Any
) -> None:
    session = stored()
    bucket = settings.STORAGES["uploaded"]["OPTIONS"]["remote_options"]["bucket_name"]
    key = keys_of(session)[0]
    (s3_server.root / bucket / "records" / key).write_bytes(b"alphb")

    job = run(session.job_set.get(kind=JobKind.VERIFY))

    assert job.state == JobState.FAILED


def test_files_are_copied_wherever_they_are(
    offsite: Any, tmp_path: Path, clerk: Any
) -> None:
    session = stored()
    destination = make_destination(tmp_path / "destinations/archive")

    job = jobs.request(session, JobKind.COPY, clerk, destination=destination)
    work()
    run(job)

    copied = [p.read_bytes() for p in (tmp_path / "destinations").rglob("a.txt")]
    assert copied == [b"alpha"]


def test_a_removal_deletes_both_sides(offsite: Any, settings: Any, clerk: Any) -> None:
    settings.REMOVAL_NEEDS_APPROVAL = False
    session = stored()
    keys = keys_of(session)

    job = jobs.request(session, JobKind.REMOVE, clerk, reason="out of date")
    assert run(job).state == JobState.SUCCEEDED
    work()

    assert [offsite.local.exists(key) for key in keys] == [False, False]
    assert [offsite.remote.exists(key) for key in keys] == [False, False]
    assert QueuedFile.objects.count() == 0


def test_a_removal_that_is_rolled_back_deletes_nothing(offsite: Any) -> None:
    session = stored()
    file = session.permuploadedfile_set.get(name="a.txt")

    with transaction.atomic():
        file.delete()
        transaction.set_rollback(True)
    work()

    with file.file_upload.open() as opened:
        assert opened.read() == b"alpha"


def test_the_sweep_finds_nothing_amiss(offsite: Any, settings: Any) -> None:
    settings.ORPHAN_GRACE_HOURS = 0
    stored()

    found = orphans.sweep()

    assert (found.deleted, found.missing) == ([], [])


def test_what_was_stored_before_is_transferred_by_a_command(
    settings: Any, request: pytest.FixtureRequest
) -> None:
    session = stored(transferred=False)
    with pytest.raises(CommandError, match="UPLOADED_STORAGE_REMOTE"):
        call_command("transfer_stored_files")
    folder = settings.UPLOAD_STORAGE_FOLDER
    entry = places.uploaded(folder, entry_of("s3", request), keep_local=True)
    settings.STORAGES = settings.STORAGES | {"uploaded": entry}
    call_command("transfer_stored_files", "--dry-run")
    assert QueuedFile.objects.count() == 0

    call_command("transfer_stored_files")
    call_command("transfer_stored_files")
    work()

    storage: Any = storages["uploaded"]
    assert {known(storage, key).state for key in keys_of(session)} == {"both"}
