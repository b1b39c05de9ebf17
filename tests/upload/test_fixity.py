"""Verify jobs on permanent files: every damage is found, told, kept and not spread."""

import logging
from pathlib import Path
from typing import Any

import pytest

from tests.make import make_destination, make_session, run
from upload import jobs
from upload.errors import JobFailed, NotPermitted, SessionBusy
from upload.models import FileCopy, Job, PermUploadedFile, SessionEvent, UploadSession
from upload.states import ItemOutcome, JobKind, JobState, SessionStatus
from upload.storage import UploadedFileStorage, local_path

S = SessionStatus
pytestmark = pytest.mark.django_db(transaction=True)
FILES = {"a.txt": b"alpha", "b.pdf": b"%PDF-1", "c.txt": b"gamma"}


def checked_later(files: dict[str, bytes] | None = None) -> UploadSession:
    """Return a stored session whose first check is still to come."""
    return make_session(S.STORED, files or FILES)


def first_check(session: UploadSession) -> Job:
    job: Job = session.job_set.get(kind=JobKind.VERIFY)
    return job


def bytes_of(session: UploadSession, name: str) -> Path:
    row = session.permuploadedfile_set.get(name=name)
    return Path(str(local_path(UploadedFileStorage(), row.file_upload.name)))


def flip_a_bit(path: Path) -> bytes:
    content = bytearray(path.read_bytes())
    content[0] ^= 1
    path.write_bytes(content)
    return bytes(content)


def failures() -> list[SessionEvent]:
    return list(SessionEvent.objects.filter(code="upload.session.fixity_failed"))


def test_a_store_queues_one_check_that_finds_all_files_good() -> None:
    session = checked_later()

    job = run(first_check(session))

    session.refresh_from_db()
    rows = session.permuploadedfile_set
    assert (job.state, job.files_done, session.status) == ("succeeded", 3, S.STORED)
    assert not rows.filter(last_verified_at=None).exists()
    assert session.fixity_checked_at == job.planned_at


def test_a_check_leaves_one_premis_event_with_its_counts() -> None:
    session = checked_later()

    job = run(first_check(session))

    event = session.event_set.get(premis_type="fixity check")
    assert (event.outcome, event.job) == ("success", job)
    assert event.detail == {"files": 3, "size_bytes": 16, "failed": 0}


def test_a_flipped_bit_is_found_told_and_left_alone(
    caplog: pytest.LogCaptureFixture,
) -> None:
    session = checked_later()
    damaged = flip_a_bit(bytes_of(session, "b.pdf"))

    job = run(first_check(session))

    (event,) = failures()
    assert (job.state, "b.pdf" in job.error, job.files_done) == ("failed", True, 2)
    assert event.detail["expected_sha256"] != event.detail["found_sha256"] != ""
    assert [r.levelno for r in caplog.records if "Fixity" in r.msg] == [logging.ERROR]
    assert bytes_of(session, "b.pdf").read_bytes() == damaged


def test_failed_files_are_found_by_one_query_until_they_are_good_again() -> None:
    session = checked_later()
    flip_a_bit(bytes_of(session, "b.pdf"))
    failed = run(first_check(session))
    in_need = PermUploadedFile.objects.filter(fixity_failed_at__isnull=False)
    named = [row.name for row in in_need]
    flip_a_bit(bytes_of(session, "b.pdf"))

    run(jobs.retry(failed, None))

    assert named == ["b.pdf"]
    assert not in_need.all().exists()


@pytest.mark.parametrize("harm", ["unlink", "truncate", "link", "folder"])
def test_what_is_no_more_the_file_received_is_a_failure(
    harm: str, tmp_path: Path
) -> None:
    session = checked_later()
    path = bytes_of(session, "a.txt")
    do_harm(path, harm, tmp_path)

    job = run(first_check(session))

    assert (job.state, job.files_done) == (JobState.FAILED, 2)
    assert [event.detail["name"] for event in failures()] == ["a.txt"]


def do_harm(path: Path, harm: str, tmp_path: Path) -> None:
    content = path.read_bytes()
    path.unlink()
    if harm == "truncate":
        path.write_bytes(content[:-1])
    elif harm == "link":
        (tmp_path / "elsewhere").write_bytes(content)
        path.symlink_to(tmp_path / "elsewhere")
    elif harm == "folder":
        path.mkdir()


def test_damaged_bytes_are_not_spread_to_a_copy(clerk: Any, tmp_path: Path) -> None:
    session = checked_later()
    flip_a_bit(bytes_of(session, "b.pdf"))
    folder = tmp_path / "destinations" / "one"

    job = run(
        jobs.request(session, JobKind.COPY, clerk, destination=make_destination(folder))
    )

    assert job.state == JobState.FAILED
    assert not list(folder.rglob("b.pdf"))
    assert FileCopy.objects.count() == 2


def test_a_retry_reads_only_what_was_not_found_good(clerk: Any) -> None:
    session = checked_later()
    flip_a_bit(bytes_of(session, "b.pdf"))
    failed = run(first_check(session))

    job = run(jobs.retry(failed, clerk))

    assert (job.state, job.files_total) == (JobState.FAILED, 1)
    assert [item.name for item in job.item_set.all()] == ["b.pdf"]


def test_a_removal_wins_and_the_check_says_so(clerk: Any, settings: Any) -> None:
    settings.REMOVAL_NEEDS_APPROVAL = False
    session = checked_later()
    check = first_check(session)

    removal = run(jobs.request(session, JobKind.REMOVE, clerk, reason="old"))
    run(check)

    assert (removal.state, check.state) == (JobState.SUCCEEDED, JobState.SUCCEEDED)
    assert (check.files_total, failures()) == (0, [])


def test_a_removal_under_a_check_makes_no_failure(clerk: Any, settings: Any) -> None:
    """The plan is frozen, then all its files are removed, then it is worked on."""
    settings.REMOVAL_NEEDS_APPROVAL = False
    session = checked_later()
    flip_a_bit(bytes_of(session, "a.txt"))
    failed = run(first_check(session))
    told = len(failures())
    check = jobs.retry(failed, clerk)
    run(jobs.request(session, JobKind.REMOVE, clerk, reason="old"))

    run(check)

    assert (check.state, len(failures())) == (JobState.CANCELLED, told)
    assert check.item_set.get().outcome == ItemOutcome.GONE


def test_a_copy_runs_beside_a_check_that_waits(clerk: Any, tmp_path: Path) -> None:
    session = checked_later()
    check = first_check(session)
    place = make_destination(tmp_path / "destinations" / "one")

    copy = run(jobs.request(session, JobKind.COPY, clerk, destination=place))

    assert (copy.state, run(check).state) == (JobState.SUCCEEDED, JobState.SUCCEEDED)


def test_a_second_check_of_a_session_is_refused(clerk: Any) -> None:
    with pytest.raises(SessionBusy):
        jobs.request(checked_later(), JobKind.VERIFY, clerk)


def test_a_check_of_somebody_demoted_does_not_start(clerk: Any) -> None:
    session = checked_later()
    run(first_check(session))
    job = jobs.request(session, JobKind.VERIFY, clerk)
    clerk.groups.clear()

    run(job)

    assert (job.state, job.error_code) == (JobState.FAILED, "not_permitted")


@pytest.mark.parametrize("person", ["auditor", "manager", "uploader", "nobody"])
def test_who_may_not_verify_cannot_ask_or_cancel(
    person: str, request: pytest.FixtureRequest
) -> None:
    session = checked_later()
    job, actor = first_check(session), request.getfixturevalue(person)

    with pytest.raises(NotPermitted):
        jobs.cancel(job, actor)
    with pytest.raises(NotPermitted):
        jobs.request(session, JobKind.VERIFY, actor)


def test_a_waiting_check_is_cancelled_and_the_session_stays_due(clerk: Any) -> None:
    session = checked_later()

    jobs.cancel(first_check(session), clerk)

    assert first_check(session).state == JobState.CANCELLED
    assert list(UploadSession.objects.fixity_due()) == [session]


def test_one_file_made_permanent_by_itself_is_checked() -> None:
    session = make_session(S.UPLOADING, FILES)

    session.tempuploadedfile_set.get(name="a.txt").move_to_permanent_storage()
    job = run(first_check(session))

    assert (job.state, job.files_done) == (JobState.SUCCEEDED, 1)
    assert session.permuploadedfile_set.get().last_verified_at is not None


def test_a_failed_store_queues_no_check() -> None:
    session = make_session(S.UPLOADING, FILES)
    row = session.tempuploadedfile_set.get(name="a.txt")
    row.file_upload.storage.delete(row.file_upload.name)

    with pytest.raises(JobFailed):
        session.make_uploads_permanent()

    assert not session.job_set.filter(kind=JobKind.VERIFY).exists()
