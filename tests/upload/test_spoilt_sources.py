"""A source that was spoilt under a job: named, never taken as good or waited for."""

import errno
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.utils import timezone

from tests.make import make_destination, make_session, run
from tests.upload.http import stored_files
from upload import items, jobs, paths
from upload.models import UploadSession
from upload.states import ItemOutcome, JobKind, JobState, SessionStatus

pytestmark = pytest.mark.django_db(transaction=True)
GOOD, SPOILT = b"alpha" * 4000, b"omega" * 4000


def cut(path: Path) -> None:
    os.truncate(path, 10)


def change(path: Path) -> None:
    path.chmod(0o600)
    path.write_bytes(b"x" * len(SPOILT))


def put_link(path: Path) -> None:
    secret = path.with_name("secret")
    secret.write_bytes(SPOILT)
    path.unlink()
    path.symlink_to(secret)


def put_fifo(path: Path) -> None:
    path.unlink()
    os.mkfifo(path)


def put_folder(path: Path) -> None:
    path.unlink()
    path.mkdir()


SPOILERS = [Path.unlink, cut, change, put_link, put_fifo, put_folder]


def spoil(alias: str, how: Callable[[Path], Any]) -> None:
    """Spoil the bytes of the second file."""
    [path] = [p for p in stored_files(alias) if p.read_bytes() == SPOILT]
    how(path)


def session_with_two(status: SessionStatus) -> UploadSession:
    return make_session(status, {"good.txt": GOOD, "spoilt.txt": SPOILT})


def outcomes(job: Any) -> dict[str, bool]:
    return {item.name: item.outcome == "done" for item in job.item_set.all()}


@pytest.mark.parametrize("how", SPOILERS, ids=lambda how: how.__name__)
def test_a_copy_names_a_spoilt_source_and_copies_the_others(
    how: Callable[[Path], Any], tmp_path: Path
) -> None:
    session = session_with_two(SessionStatus.STORED)
    place = make_destination(tmp_path / "destinations" / "archive")
    job = jobs.request(session, JobKind.COPY, None, destination=place)
    spoil("uploaded", how)

    run(job)

    session.refresh_from_db()
    copies = [p for p in Path(place.folder).rglob("*.txt") if p.is_file()]
    assert [p.read_bytes() for p in copies] == [GOOD]
    assert outcomes(job) == {"good.txt": True, "spoilt.txt": False}
    assert (job.state, session.status) == (JobState.FAILED, SessionStatus.STORED)


@pytest.mark.parametrize("how", SPOILERS, ids=lambda how: how.__name__)
def test_a_store_names_a_spoilt_source_and_stores_the_others(
    how: Callable[[Path], Any],
) -> None:
    session = session_with_two(SessionStatus.UPLOADING)
    job = jobs.request(session, JobKind.STORE, None)
    spoil("temp", how)

    run(job)

    session.refresh_from_db()
    assert [p.read_bytes() for p in stored_files("uploaded")] == [GOOD]
    assert outcomes(job) == {"good.txt": True, "spoilt.txt": False}
    assert job.state == JobState.FAILED
    assert session.status == SessionStatus.COPYING_FAILED


@pytest.fixture
def bad_sector(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """Give what makes a disk unable to read the second file's bytes of an alias."""

    def spoil_disk(alias: str) -> None:
        [path] = [p for p in stored_files(alias) if p.read_bytes() == SPOILT]
        bad, read = path.stat(), os.read

        def read_or_fail(descriptor: int, count: int) -> bytes:
            if os.path.samestat(os.fstat(descriptor), bad):
                raise OSError(errno.EIO, os.strerror(errno.EIO))
            return read(descriptor, count)

        monkeypatch.setattr(os, "read", read_or_fail)
        path.chmod(0o600)  # so that a store does not trust what was noted of it

    return spoil_disk


def due_again(job: Any) -> Any:
    type(job).objects.filter(pk=job.pk).update(next_run_at=timezone.now())
    return job


def test_a_disk_that_cannot_read_one_file_stops_no_other_and_is_asked_again(
    bad_sector: Callable[[str], None],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    session = session_with_two(SessionStatus.STORED)
    place = make_destination(tmp_path / "destinations" / "archive")
    job = jobs.request(session, JobKind.COPY, None, destination=place)
    bad_sector("uploaded")

    run(job)

    assert outcomes(job) == {"good.txt": True, "spoilt.txt": False}
    assert (job.state, job.error_code) == (JobState.QUEUED, "source_unreadable")
    assert "“spoilt.txt”" in job.error and "Input/output error" in job.error
    [copied] = Path(place.folder).rglob("good.txt")
    before = copied.stat()

    monkeypatch.undo()
    run(due_again(job))

    assert job.state == JobState.SUCCEEDED
    assert {p.read_bytes() for p in Path(place.folder).rglob("*.txt")} == {GOOD, SPOILT}
    assert copied.stat().st_ino == before.st_ino


def test_a_store_from_a_disk_that_stays_sick_fails_after_its_attempts(
    bad_sector: Callable[[str], None], settings: Any
) -> None:
    session = session_with_two(SessionStatus.UPLOADING)
    job = jobs.request(session, JobKind.STORE, None)
    bad_sector("temp")

    states = [run(due_again(job)).state for _n in range(settings.JOB_MAX_ATTEMPTS)]

    session.refresh_from_db()
    assert states == [JobState.QUEUED] * (len(states) - 1) + [JobState.FAILED]
    assert [p.read_bytes() for p in stored_files("uploaded")] == [GOOD]
    assert outcomes(job) == {"good.txt": True, "spoilt.txt": False}
    assert "“spoilt.txt”" in job.error
    assert session.status == SessionStatus.COPYING_FAILED


def test_a_disk_that_gives_nothing_any_more_is_not_asked_for_every_file(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    files = {f"{number}.txt": b"%d" % number for number in range(30)}
    session = make_session(SessionStatus.STORED, files)
    place = make_destination(tmp_path / "destinations" / "archive")
    job = jobs.request(session, JobKind.COPY, None, destination=place)
    asked: list[int] = []

    sources = {path.stat().st_ino for path in stored_files("uploaded")}
    read = os.read

    def read_or_fail(descriptor: int, count: int) -> bytes:
        if os.fstat(descriptor).st_ino not in sources:
            return read(descriptor, count)
        asked.append(descriptor)
        raise OSError(errno.EIO, os.strerror(errno.EIO))

    monkeypatch.setattr(os, "read", read_or_fail)
    run(job)

    assert len(asked) == items.MOST_UNREADABLE
    assert job.state == JobState.QUEUED
    assert "Input/output error" in job.error
    assert {item.outcome for item in job.item_set.all()} == {ItemOutcome.PENDING}


def test_a_disk_that_cannot_take_a_folder_s_name_ends_the_attempt(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    session = session_with_two(SessionStatus.UPLOADING)
    job = jobs.request(session, JobKind.STORE, None)
    synced: list[int] = []
    sync_folder = paths.sync_folder

    def fail_once(descriptor: int) -> None:
        synced.append(os.fstat(descriptor).st_ino)
        if len(synced) == 2:
            raise OSError(errno.EIO, os.strerror(errno.EIO))
        sync_folder(descriptor)

    monkeypatch.setattr(paths, "sync_folder", fail_once)
    run(job)
    kept = session.tempuploadedfile_set.count()
    run(due_again(job))

    assert (kept, session.permuploadedfile_set.count()) == (2, 2)
    assert job.state == JobState.SUCCEEDED
    assert synced.count(synced[1]) > 1  # what was not durable was not taken for it
