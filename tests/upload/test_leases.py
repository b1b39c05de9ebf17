"""A job is claimed once; whoever had it before can write nothing."""

from pathlib import Path
from typing import Any

import pytest
from django.utils import timezone

from tests.make import let_lease_run_out, make_session, run
from tests.racing import race
from upload import jobs, lease, tasks
from upload.errors import (
    JobCancelled,
    LeaseLost,
    WorkerStopping,
)
from upload.models import Job
from upload.states import JobKind, JobState, SessionStatus

S = SessionStatus
on_real_commits = pytest.mark.django_db(transaction=True)


@on_real_commits
def test_a_job_delivered_four_times_at_once_runs_once(clerk: Any) -> None:
    session = make_session(S.UPLOADING)
    job = jobs.request(session, JobKind.STORE, clerk)

    results = race(4, lambda i: tasks.run_job(job.pk))

    job.refresh_from_db()
    assert sorted(results) == [False, False, False, True]
    assert (job.attempts, job.state) == (1, JobState.SUCCEEDED)


@on_real_commits
def test_delivery_after_success_does_nothing(clerk: Any) -> None:
    job = run(jobs.request(make_session(S.UPLOADING), JobKind.STORE, clerk))

    assert tasks.run_job(job.pk) is False

    job.refresh_from_db()
    assert job.attempts == 1


@pytest.mark.django_db
def test_a_fenced_worker_can_write_nothing(clerk: Any) -> None:
    job = jobs.request(make_session(S.UPLOADING), JobKind.STORE, clerk)
    stale = lease.claim(Job.objects.get(pk=job.pk))
    let_lease_run_out(job)
    fresh = lease.claim(Job.objects.get(pk=job.pk))

    assert stale and fresh
    with pytest.raises(LeaseLost), stale.fenced():
        raise AssertionError("a fenced transaction must not open")
    with pytest.raises(LeaseLost):
        stale.renew()
    stale.end(JobState.FAILED)
    job.refresh_from_db()
    assert (job.state, job.fence) == (JobState.RUNNING, fresh.fence)


@pytest.mark.django_db
def test_a_live_lease_cannot_be_claimed(clerk: Any) -> None:
    job = jobs.request(make_session(S.UPLOADING), JobKind.STORE, clerk)
    lease.claim(Job.objects.get(pk=job.pk))

    assert lease.claim(Job.objects.get(pk=job.pk)) is None


@pytest.mark.django_db
def test_a_heartbeat_notices_a_cancel(clerk: Any) -> None:
    job = jobs.request(make_session(S.UPLOADING), JobKind.STORE, clerk)
    work = lease.claim(job)
    assert work
    Job.objects.filter(pk=job.pk).update(
        cancel_requested_at=timezone.now(), entered_at=timezone.now()
    )

    with pytest.raises(JobCancelled):
        work.renew()


@pytest.mark.django_db
def test_a_heartbeat_notices_that_the_worker_is_stopping(
    clerk: Any, settings: Any, tmp_path: Path
) -> None:
    settings.WORKER_STOP_FILE = str(tmp_path / "stop")
    job = jobs.request(make_session(S.UPLOADING), JobKind.STORE, clerk)
    work = lease.claim(job)
    (tmp_path / "stop").touch()

    assert work
    with pytest.raises(WorkerStopping):
        work.renew()


@on_real_commits
def test_a_stopping_worker_gives_the_job_back_uncounted(
    clerk: Any, settings: Any, tmp_path: Path
) -> None:
    settings.WORKER_STOP_FILE = str(tmp_path / "stop")
    settings.JOB_LEASE_SECONDS = 0  # every beat renews
    session = make_session(S.UPLOADING)
    job = jobs.request(session, JobKind.STORE, clerk)
    (tmp_path / "stop").touch()

    run(job)
    assert (job.state, job.attempts) == (JobState.QUEUED, 0)

    (tmp_path / "stop").unlink()
    assert run(job).state == JobState.SUCCEEDED
