"""The watchdog: what died, was lost or never queued goes on, or fails with a reason."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone
from django_q.models import OrmQ

from tests.make import let_lease_run_out, make_job, make_session, run, set_status
from tests.racing import race
from upload import execution, jobs, lease, queues, recovery
from upload.models import Job, UploadSession
from upload.states import ItemOutcome, JobKind, JobState, SessionStatus

S = SessionStatus
on_real_commits = pytest.mark.django_db(transaction=True)


@on_real_commits
def test_a_job_whose_worker_died_goes_on(clerk: Any) -> None:
    session = make_session(S.UPLOADING)
    job = jobs.request(session, JobKind.STORE, clerk)
    execution._start(Job.objects.get(pk=job.pk))
    let_lease_run_out(job)

    assert recovery.recover().queued == 1
    run(job)

    session.refresh_from_db()
    assert (job.state, job.attempts, session.status) == (
        JobState.SUCCEEDED,
        2,
        S.STORED,
    )


@on_real_commits
def test_a_job_that_always_kills_its_worker_fails_after_five_attempts(
    clerk: Any, settings: Any
) -> None:
    session = make_session(S.UPLOADING)
    job = jobs.request(session, JobKind.STORE, clerk)
    for _ in range(settings.JOB_MAX_ATTEMPTS):
        assert execution._start(Job.objects.get(pk=job.pk))
        let_lease_run_out(job)
    assert execution._start(Job.objects.get(pk=job.pk)) is None

    assert recovery.recover().failed == 1

    job.refresh_from_db()
    session.refresh_from_db()
    assert (job.state, session.status) == (JobState.FAILED, S.COPYING_FAILED)
    assert "5 attempts" in job.error


@on_real_commits
def test_a_moving_session_without_a_job_gets_one() -> None:
    session = make_session(S.UPLOADING)
    set_status(session, S.COPYING_IN_PROGRESS)

    assert recovery.recover().recreated == 1
    run(Job.objects.get())

    session.refresh_from_db()
    assert session.status == S.STORED


@on_real_commits
def test_a_removal_whose_job_was_lost_rolls_forward() -> None:
    session = make_session(S.STORED)
    Job.objects.all().delete()
    set_status(session, S.REMOVING_IN_PROGRESS)

    recovery.recover()
    run(Job.objects.get())

    session.refresh_from_db()
    assert (session.status, session.total_files) == (S.CREATED, 0)


@on_real_commits
def test_bytes_that_a_crashed_removal_left_are_deleted(
    clerk: Any, settings: Any
) -> None:
    settings.REMOVAL_NEEDS_APPROVAL = False
    session = make_session(S.STORED)
    rows = session.get_permanent_uploads()
    job = jobs.request(session, JobKind.REMOVE, clerk, reason="old")
    work = execution._start(Job.objects.get(pk=job.pk))
    assert work
    _crash_after_rows(work)
    let_lease_run_out(job)
    assert all(r.file_upload.storage.exists(r.file_upload.name) for r in rows)

    run(job)

    assert not any(r.file_upload.storage.exists(r.file_upload.name) for r in rows)


def _crash_after_rows(work: lease.Work) -> None:
    """Leave rows and items as a worker does that dies right after the commit."""
    from upload import items, remove

    items.freeze(work, remove.plan(work.session))
    work.session.permuploadedfile_set.all()._raw_delete("default")
    UploadSession.objects.update(total_files=0, total_size_bytes=0)
    work.job.item_set.update(outcome=ItemOutcome.DONE)


@pytest.mark.django_db
def test_the_watchdog_leaves_a_waiting_job_that_is_queued_alone(clerk: Any) -> None:
    jobs.request(make_session(S.UPLOADING), JobKind.STORE, clerk)

    assert recovery.recover().queued == 0


@pytest.mark.django_db
def test_the_watchdog_queues_a_job_that_never_was(settings: Any) -> None:
    session = make_session(S.UPLOADING)
    old = timezone.now() - timedelta(seconds=settings.JOB_LEASE_SECONDS + 1)
    make_job(session, JobKind.STORE, created_at=old, next_run_at=old)

    assert recovery.recover().queued == 1


@on_real_commits
def test_a_removal_that_is_given_up_still_leaves_the_session_empty(
    clerk: Any, settings: Any
) -> None:
    settings.REMOVAL_NEEDS_APPROVAL = False
    session = make_session(S.STORED)
    job = jobs.request(session, JobKind.REMOVE, clerk, reason="old")
    for _ in range(settings.JOB_MAX_ATTEMPTS):
        assert execution._start(Job.objects.get(pk=job.pk))
        let_lease_run_out(job)

    recovery.recover()

    job.refresh_from_db()
    session.refresh_from_db()
    assert (job.state, session.status) == (JobState.FAILED, S.CREATED)
    assert (session.total_files, session.permuploadedfile_set.count()) == (0, 0)


@on_real_commits
def test_a_begun_job_ends_though_its_requester_has_lost_the_right(clerk: Any) -> None:
    session = make_session(S.UPLOADING)
    job = jobs.request(session, JobKind.STORE, clerk)
    execution._start(Job.objects.get(pk=job.pk))
    clerk.groups.clear()
    let_lease_run_out(job)

    run(job)

    session.refresh_from_db()
    assert (job.state, session.status) == (JobState.SUCCEEDED, S.STORED)


@on_real_commits
def test_sweeps_at_one_instant_make_one_job_for_a_lost_one() -> None:
    session = make_session(S.UPLOADING)
    set_status(session, S.COPYING_IN_PROGRESS)

    results = race(4, lambda i: recovery.recover().recreated)

    assert sum(results) == 1
    assert Job.objects.count() == 1


@on_real_commits
def test_a_job_whose_queue_row_was_lost_is_queued_again_in_a_busy_queue(
    clerk: Any,
) -> None:
    job = jobs.request(make_session(S.UPLOADING), JobKind.STORE, clerk)
    OrmQ.objects.all().delete()
    queues.push_heartbeat(queues.LONG)
    long_ago = timezone.now() - timedelta(hours=1)
    Job.objects.filter(pk=job.pk).update(enqueued_at=long_ago, next_run_at=long_ago)

    assert recovery.recover().queued == 1
    assert recovery.recover().queued == 0
