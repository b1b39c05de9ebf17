"""Copying out: verified, marked, never over anything, and the session stays STORED."""

import os
import shutil
from pathlib import Path
from typing import Any

import pytest

from tests.make import (
    make_destination,
    make_session,
    run,
)
from upload import jobs
from upload.errors import (
    DestinationRefused,
)
from upload.models import FileCopy
from upload.states import JobKind, JobState, SessionStatus
from upload.targets import FolderTarget

S = SessionStatus
on_real_commits = pytest.mark.django_db(transaction=True)


@on_real_commits
def test_a_copy_job_copies_and_the_session_stays_stored(
    clerk: Any, tmp_path: Path
) -> None:
    session = make_session(S.STORED)
    destination = make_destination(tmp_path / "destinations" / "one")

    job = run(jobs.request(session, JobKind.COPY, clerk, destination=destination))

    session.refresh_from_db()
    folder = Path(destination.folder) / str(session.uuid)
    assert (job.state, session.status) == (JobState.SUCCEEDED, S.STORED)
    assert {p.name: p.read_bytes() for p in folder.iterdir()} == {
        "a.txt": b"alpha",
        "b.pdf": b"%PDF-1",
    }
    assert FileCopy.objects.filter(session=session).count() == 2


@on_real_commits
def test_copying_again_rewrites_nothing(clerk: Any, tmp_path: Path) -> None:
    session = make_session(S.STORED)
    destination = make_destination(tmp_path / "destinations" / "one")
    run(jobs.request(session, JobKind.COPY, clerk, destination=destination))
    copied = Path(destination.folder) / str(session.uuid) / "a.txt"
    before = copied.stat().st_mtime_ns

    job = run(jobs.request(session, JobKind.COPY, clerk, destination=destination))

    assert job.state == JobState.SUCCEEDED
    assert copied.stat().st_mtime_ns == before
    assert FileCopy.objects.filter(session=session).count() == 2


@on_real_commits
def test_copying_again_needs_no_room(
    clerk: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    session = make_session(S.STORED)
    destination = make_destination(tmp_path / "destinations" / "full")
    run(jobs.request(session, JobKind.COPY, clerk, destination=destination))
    monkeypatch.setattr(FolderTarget, "free_bytes", lambda self: 0)

    job = run(jobs.request(session, JobKind.COPY, clerk, destination=destination))

    assert job.state == JobState.SUCCEEDED


@on_real_commits
def test_a_disk_that_gives_back_other_bytes_is_found_out(
    clerk: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    session = make_session(S.STORED)
    destination = make_destination(tmp_path / "destinations" / "rotten")
    job = jobs.request(session, JobKind.COPY, clerk, destination=destination)
    monkeypatch.setattr(os, "posix_fadvise", rot)

    run(job)

    assert job.state == JobState.FAILED
    assert "the destination gave back other bytes" in job.error
    assert not (Path(destination.folder) / str(session.uuid)).exists()
    assert not FileCopy.objects.exists()


def rot(descriptor: int, start: int, length: int, advice: int) -> None:
    """Change the first byte of a file that is to be read from the disk."""
    if advice == os.POSIX_FADV_DONTNEED:
        with Path(f"/proc/self/fd/{descriptor}").open("r+b") as file:
            file.write(b"?")


@on_real_commits
def test_a_changed_source_is_told_from_a_bad_destination(
    clerk: Any, tmp_path: Path
) -> None:
    session = make_session(S.STORED)
    destination = make_destination(tmp_path / "destinations" / "one")
    file = session.permuploadedfile_set.get(name="a.txt").file_upload
    Path(file.path).write_bytes(b"ALPHA")

    job = run(jobs.request(session, JobKind.COPY, clerk, destination=destination))

    assert "check the storage it came from" in job.error
    assert [c.name for c in FileCopy.objects.all()] == ["b.pdf"]


@on_real_commits
def test_a_copy_to_a_missing_folder_is_refused_before_anything_moves(
    clerk: Any, tmp_path: Path
) -> None:
    session = make_session(S.STORED)
    destination = make_destination(tmp_path / "destinations" / "gone")
    shutil.rmtree(destination.folder)

    with pytest.raises(FileNotFoundError):
        jobs.request(session, JobKind.COPY, clerk, destination=destination)

    session.refresh_from_db()
    assert session.status == S.STORED


@pytest.mark.django_db
def test_a_copy_to_a_disabled_destination_is_refused(
    clerk: Any, tmp_path: Path
) -> None:
    destination = make_destination(tmp_path / "destinations" / "one")
    destination.enabled = False

    with pytest.raises(DestinationRefused, match="“Archive” is not enabled"):
        jobs.request(
            make_session(S.STORED), JobKind.COPY, clerk, destination=destination
        )


@on_real_commits
def test_a_destination_that_vanishes_fails_the_job_and_leaves_it_stored(
    clerk: Any, tmp_path: Path
) -> None:
    session = make_session(S.STORED)
    destination = make_destination(tmp_path / "destinations" / "gone")
    job = jobs.request(session, JobKind.COPY, clerk, destination=destination)
    shutil.rmtree(destination.folder)

    run(job)

    session.refresh_from_db()
    assert (job.state, session.status) == (JobState.FAILED, S.STORED)
    assert "gone" in job.error


@on_real_commits
def test_nothing_lands_in_an_empty_mount_point(clerk: Any, tmp_path: Path) -> None:
    session = make_session(S.STORED)
    destination = make_destination(tmp_path / "destinations" / "mount")
    job = jobs.request(session, JobKind.COPY, clerk, destination=destination)
    shutil.rmtree(destination.folder)
    Path(destination.folder).mkdir()

    run(job)

    session.refresh_from_db()
    assert (job.state, job.error_code) == (JobState.FAILED, "destination_refused")
    assert session.status == S.STORED
    assert not list(Path(destination.folder).iterdir())


@pytest.mark.django_db
def test_copy_session_uploads_returns_copied_and_missing(tmp_path: Path) -> None:
    session = make_session(S.STORED)
    row = session.permuploadedfile_set.get(name="b.pdf")
    row.file_upload.storage.delete(row.file_upload.name)
    (tmp_path / "out").mkdir()

    copied, missing = session.copy_session_uploads(str(tmp_path / "out"))

    assert copied == [str(tmp_path / "out" / "a.txt")]
    assert missing == ["b.pdf"]
    assert (tmp_path / "out" / "a.txt").read_bytes() == b"alpha"
    assert session.status == S.STORED


@pytest.mark.django_db
def test_copy_session_uploads_to_a_missing_folder_leaves_it_stored(
    tmp_path: Path,
) -> None:
    session = make_session(S.STORED)

    with pytest.raises(FileNotFoundError):
        session.copy_session_uploads(str(tmp_path / "nowhere"))

    session.refresh_from_db()
    assert session.status == S.STORED


@pytest.mark.django_db
@pytest.mark.parametrize("status", set(S) - {S.STORED})
def test_copy_session_uploads_needs_a_stored_session(status: S, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="it cannot be copied"):
        make_session(status).copy_session_uploads(str(tmp_path))


@on_real_commits
def test_the_events_of_a_copy_say_copied_and_whereto(
    clerk: Any, tmp_path: Path
) -> None:
    session = make_session(S.STORED)
    destination = make_destination(tmp_path / "destinations" / "one")

    run(jobs.request(session, JobKind.COPY, clerk, destination=destination))

    last = session.event_set.first()
    assert last.code == "upload.session.copied"
    assert last.detail["destination"] == "Archive"
    assert (last.detail["files"], last.detail["size_bytes"]) == (2, 11)
