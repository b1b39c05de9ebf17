"""Disks that fill up, or let nobody write, in the middle of a verb.

Each is a small file system of the test's own. What does not fit leaves nothing; what
was there before is there after it; with space again the same job comes to its end.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.utils import timezone

from tests.faults.mounts import remount, require_mounting, small_disk
from tests.make import make_destination, make_session, run
from tests.people import ClientFor
from upload import jobs
from upload.models import FileCopy, Job, TempUploadedFile, UploadSession
from upload.states import JobKind, JobState, SessionStatus
from upload.targets import MARKER

DISK_BYTES = 256 * 1024
LONG = b"0123456789abcdef" * 4096 * 2  # 128 KiB
# Half of the long file: its last chunk is the one that does not fit.
LEFT_BYTES = 64 * 1024
on_real_commits = pytest.mark.django_db(transaction=True)


@pytest.fixture
def disk(request: pytest.FixtureRequest, storages_in_tmp: Path) -> Iterator[Path]:
    """Mount a small disk at a folder of the test's storages; yield the folder."""
    require_mounting()
    place = storages_in_tmp / request.param
    place.mkdir(exist_ok=True)
    with small_disk(place, DISK_BYTES):
        yield place


def fill(disk: Path) -> Path:
    """Leave half of what the long file needs; return what to delete for more."""
    filler = disk / "filler.bin"
    filler.write_bytes(b"." * (DISK_BYTES - LEFT_BYTES))
    return filler


def files_in(folder: Path) -> list[str]:
    return sorted(p.name for p in folder.rglob("*") if p.is_file())


def run_again(job: Job) -> Job:
    """Run the next attempt without waiting for its time."""
    Job.objects.filter(pk=job.pk).update(next_run_at=timezone.now())
    return run(job)


@on_real_commits
@pytest.mark.parametrize("disk", ["temp"], indirect=True)
def test_an_upload_that_does_not_fit_is_told_and_leaves_nothing(
    disk: Path, uploader: Any, client_for: ClientFor
) -> None:
    session = UploadSession.new_session(user=uploader)
    filler = fill(disk)

    first = send(client_for(uploader), session)

    assert (first.status_code, first.json()["code"]) == (507, "storage_full")
    assert (files_in(disk), TempUploadedFile.objects.count()) == (["filler.bin"], 0)
    filler.unlink()
    assert send(client_for(uploader), session).status_code == 201


def send(client: Client, session: UploadSession) -> Any:
    file = SimpleUploadedFile("long.txt", LONG, "text/plain")
    return client.post(f"/upload-session/{session.uuid}/files/", {"file": file})


@on_real_commits
@pytest.mark.parametrize("disk", ["temp"], indirect=True)
def test_a_disk_that_fills_up_while_bytes_come_keeps_no_part(
    disk: Path, uploader: Any
) -> None:
    session = UploadSession.new_session(user=uploader)
    fill(disk)

    with pytest.raises(OSError, match="No space left"):
        session.add_temp_file(SimpleUploadedFile("long.txt", LONG))

    session.refresh_from_db()
    assert (files_in(disk), session.status) == (["filler.bin"], SessionStatus.CREATED)


@on_real_commits
@pytest.mark.parametrize("disk", ["uploaded"], indirect=True)
def test_a_store_waits_for_space_and_keeps_the_temporary_bytes(
    disk: Path, clerk: Any, storages_in_tmp: Path
) -> None:
    session = make_session(SessionStatus.UPLOADING, {"long.txt": LONG})
    job = jobs.request(session, JobKind.STORE, clerk)
    filler = fill(disk)

    run(job)

    kept = [
        p.read_bytes() for p in (storages_in_tmp / "temp").rglob("*") if p.is_file()
    ]
    assert (job.state, kept, files_in(disk)) == (
        JobState.QUEUED,
        [LONG],
        ["filler.bin"],
    )
    assert "No space left" in job.error
    filler.unlink()
    assert run_again(job).state == JobState.SUCCEEDED


@on_real_commits
@pytest.mark.parametrize("disk", ["destinations/small"], indirect=True)
def test_a_copy_that_does_not_fit_says_so_and_leaves_nothing(
    disk: Path, clerk: Any
) -> None:
    session = make_session(SessionStatus.STORED, {"long.txt": LONG})
    destination = make_destination(disk)
    job = jobs.request(session, JobKind.COPY, clerk, destination=destination)
    filler = fill(disk)

    run(job)

    assert (job.state, job.error_code) == (JobState.FAILED, "destination_refused")
    assert set(files_in(disk)) == {"filler.bin", MARKER}
    assert not FileCopy.objects.exists()
    filler.unlink()
    job = jobs.request(session, JobKind.COPY, clerk, destination=destination)
    assert run(job).state == JobState.SUCCEEDED


@on_real_commits
@pytest.mark.parametrize("disk", ["destinations/small"], indirect=True)
def test_a_copy_to_a_read_only_disk_fails_once_and_says_why(
    disk: Path, clerk: Any
) -> None:
    session = make_session(SessionStatus.STORED, {"long.txt": LONG})
    destination = make_destination(disk)
    job = jobs.request(session, JobKind.COPY, clerk, destination=destination)
    remount(disk, "ro")

    run(job)

    session.refresh_from_db()
    assert (job.state, job.attempts) == (JobState.FAILED, 1)
    assert session.status == SessionStatus.STORED
    assert "read-only" in job.error.lower()


@on_real_commits
@pytest.mark.parametrize("disk", ["uploaded"], indirect=True)
def test_a_store_to_a_read_only_disk_loses_nothing_and_can_be_retried(
    disk: Path, clerk: Any
) -> None:
    session = make_session(SessionStatus.UPLOADING, {"long.txt": LONG})
    job = jobs.request(session, JobKind.STORE, clerk)
    remount(disk, "ro")

    run(job)

    assert "read-only" in job.error.lower()
    assert TempUploadedFile.objects.count() == 1
    remount(disk, "rw")
    assert run_again(job).state == JobState.SUCCEEDED
