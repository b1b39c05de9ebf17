"""A retry does only what is not done: files that are done are not written again."""

from pathlib import Path
from typing import Any

import pytest

from tests.make import let_lease_run_out, make_destination, make_session, run
from upload import execution, items, jobs, remove
from upload.errors import IllegalTransition
from upload.models import Job, UploadSession
from upload.states import JobKind, JobState, SessionStatus
from upload.storage import TempFileStorage, UploadedFileStorage, local_path

pytestmark = pytest.mark.django_db(transaction=True)
S = SessionStatus
FILES = {"a.txt": b"alpha", "b.pdf": b"%PDF-1", "c.txt": b"gamma"}

type Stamps = dict[Path, tuple[int, int]]


def stamps(folder: Path) -> Stamps:
    """Return inode and time of the last write of every file below a folder."""
    seen = {path: path.stat() for path in folder.rglob("*") if path.is_file()}
    return {path: (s.st_ino, s.st_mtime_ns) for path, s in seen.items()}


def written(before: Stamps, after: Stamps) -> int:
    """Return how many files are new or were written to; none may have gone."""
    assert set(before) <= set(after)
    return len(set(after.items()) - set(before.items()))


def bytes_path(row: Any, storage: Any) -> Path:
    return Path(str(local_path(storage, row.file_upload.name)))


def done_names(job: Job) -> list[str]:
    done = job.item_set.filter(outcome__in=items.GOOD).order_by("pk")
    return list(done.values_list("name", flat=True))


def store_without_bytes_of_b(session: UploadSession, clerk: Any) -> tuple[Job, Path]:
    """Store while one file's bytes are away; return the failed job and their path."""
    row = session.tempuploadedfile_set.get(name="b.pdf")
    path = bytes_path(row, TempFileStorage())
    path.unlink()
    return run(jobs.request(session, JobKind.STORE, clerk)), path


def put_back(path: Path, content: bytes) -> None:
    """Write the bytes again; their folder was pruned if another file was in it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)


def test_a_store_that_is_retried_writes_the_missing_file_alone(
    clerk: Any, tmp_path: Path
) -> None:
    session = make_session(S.UPLOADING, FILES)
    failed, path = store_without_bytes_of_b(session, clerk)
    before = stamps(tmp_path / "uploaded")
    put_back(path, FILES["b.pdf"])

    job = run(jobs.retry(failed, clerk))

    session.refresh_from_db()
    assert (failed.state, done_names(failed)) == (JobState.FAILED, ["a.txt", "c.txt"])
    assert (job.state, session.status) == (JobState.SUCCEEDED, S.STORED)
    assert (done_names(job), job.files_total) == (["b.pdf"], 1)
    assert written(before, stamps(tmp_path / "uploaded")) == 1


def test_a_copy_that_is_retried_writes_the_missing_file_alone(
    clerk: Any, tmp_path: Path
) -> None:
    session = make_session(S.STORED, FILES)
    destination = make_destination(tmp_path / "destinations" / "one")
    row = session.permuploadedfile_set.get(name="b.pdf")
    path = bytes_path(row, UploadedFileStorage())
    path.rename(path.with_name("away"))
    failed = run(jobs.request(session, JobKind.COPY, clerk, destination=destination))
    before = stamps(Path(destination.folder) / str(session.uuid))
    path.with_name("away").rename(path)

    job = run(jobs.retry(failed, clerk))

    after = stamps(Path(destination.folder) / str(session.uuid))
    assert (failed.state, job.state) == (JobState.FAILED, JobState.SUCCEEDED)
    assert done_names(failed) == ["a.txt", "c.txt"]
    assert (len(before), written(before, after)) == (2, 1)


def die_after_one_file(job: Job) -> None:
    """Do the first file of a removal as a worker does that dies then."""
    work = execution._start(Job.objects.get(pk=job.pk))
    assert work
    items.freeze(work, remove.plan(work.session))
    first = work.job.item_set.earliest("pk")
    remove._remove_batch(work, [first])
    let_lease_run_out(job)


def test_a_second_attempt_at_a_removal_counts_no_file_out_twice(
    clerk: Any, settings: Any, tmp_path: Path
) -> None:
    settings.REMOVAL_NEEDS_APPROVAL = False
    session = make_session(S.STORED, FILES)
    job = jobs.request(session, JobKind.REMOVE, clerk, reason="old")
    die_after_one_file(job)
    left = stamps(tmp_path / "uploaded")

    run(job)

    session.refresh_from_db()
    assert (job.state, job.attempts, len(left)) == (JobState.SUCCEEDED, 2, 2)
    assert (job.files_done, job.bytes_done) == (3, 16)
    assert (session.status, session.total_files) == (S.CREATED, 0)
    assert stamps(tmp_path / "uploaded") == {}


def test_a_removal_that_was_given_up_leaves_nothing_to_retry(
    clerk: Any, settings: Any
) -> None:
    settings.REMOVAL_NEEDS_APPROVAL = False
    session = make_session(S.STORED, FILES)
    job = jobs.request(session, JobKind.REMOVE, clerk, reason="old")
    die_after_one_file(job)
    Job.objects.update(attempts=settings.JOB_MAX_ATTEMPTS)
    execution.give_up(Job.objects.get(pk=job.pk))

    job.refresh_from_db()
    session.refresh_from_db()
    assert (job.state, session.status) == (JobState.FAILED, S.CREATED)
    with pytest.raises(IllegalTransition, match="Created"):
        jobs.retry(job, clerk)


def test_a_removal_that_was_cancelled_before_it_started_is_retried_in_full(
    clerk: Any, settings: Any, tmp_path: Path
) -> None:
    settings.REMOVAL_NEEDS_APPROVAL = False
    session = make_session(S.STORED, FILES)
    job = jobs.request(session, JobKind.REMOVE, clerk, reason="old")
    jobs.cancel(job, clerk)
    job.refresh_from_db()

    again = run(jobs.retry(job, clerk))

    assert (job.state, again.state) == (JobState.CANCELLED, JobState.SUCCEEDED)
    assert (again.files_done, stamps(tmp_path / "uploaded")) == (3, {})
