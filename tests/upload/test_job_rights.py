"""What is asked again when a job starts: rights, approval, the destination."""

from pathlib import Path
from typing import Any

import pytest

from tests.make import make_destination, make_session, run
from upload import jobs
from upload.models import UploadSession
from upload.states import JobKind, JobState, SessionStatus

S = SessionStatus
pytestmark = pytest.mark.django_db(transaction=True)


def test_a_job_of_somebody_who_was_deleted_does_not_start(clerk: Any) -> None:
    session = make_session(S.UPLOADING)
    job = jobs.request(session, JobKind.STORE, clerk)
    clerk.delete()

    run(job)

    session.refresh_from_db()
    assert (job.state, session.status) == (JobState.FAILED, S.UPLOADING)


def test_a_job_that_is_refused_at_its_start_says_when_it_ended(clerk: Any) -> None:
    job = jobs.request(make_session(S.UPLOADING), JobKind.STORE, clerk)
    clerk.is_active = False
    clerk.save()

    run(job)

    assert (job.state, job.error_code) == (JobState.FAILED, "not_permitted")
    assert job.finished_at is not None


def test_stored_files_are_not_removed_by_a_request_made_before_they_were(
    clerk: Any,
) -> None:
    session = make_session(S.UPLOADING)
    stale = UploadSession.objects.get(pk=session.pk)
    session.make_uploads_permanent()
    job = jobs.request(stale, JobKind.REMOVE, clerk, reason="old")

    run(job)

    session.refresh_from_db()
    assert (job.state, session.status) == (JobState.FAILED, S.STORED)
    assert session.file_count == 2


def test_a_copy_does_not_start_to_a_destination_that_was_disabled(
    clerk: Any, tmp_path: Path
) -> None:
    session = make_session(S.STORED)
    destination = make_destination(tmp_path / "destinations" / "x")
    job = jobs.request(session, JobKind.COPY, clerk, destination=destination)
    destination.enabled = False
    destination.save()

    run(job)

    assert (job.state, "not enabled" in job.error) == (JobState.FAILED, True)
    assert not list(Path(destination.folder).rglob("*.txt"))
