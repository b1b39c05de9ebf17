"""Jobs: one at a time, claimed once, fenced, cancelled, retried, recovered."""

import shutil
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.utils import timezone

from tests.make import make_destination, make_job, make_session, make_user, set_status
from tests.upload.test_transitions import race
from upload import execution, jobs, lease, recovery, tasks
from upload.errors import (
    DestinationRefused,
    IllegalTransition,
    JobCancelled,
    LeaseLost,
    NotPermitted,
    SessionBusy,
    WorkerStopping,
)
from upload.models import FileCopy, Job, SessionEvent, UploadSession
from upload.states import ItemOutcome, JobKind, JobState, SessionStatus

S = SessionStatus
on_real_commits = pytest.mark.django_db(transaction=True)


def run(job: Job) -> Job:
    """Run one attempt of the job as a worker does; return it as it then is."""
    tasks.run_job(job.pk)
    job.refresh_from_db()
    return job


def let_lease_run_out(job: Job) -> None:
    Job.objects.filter(pk=job.pk).update(
        lease_until=timezone.now() - timedelta(seconds=1)
    )


@on_real_commits
def test_a_store_job_stores(clerk: Any) -> None:
    session = make_session(S.UPLOADING)

    job = run(jobs.request(session, JobKind.STORE, clerk))

    session.refresh_from_db()
    assert (job.state, session.status) == (JobState.SUCCEEDED, S.STORED)
    assert (job.files_done, job.bytes_done, job.percent) == (2, 11, 100)
    assert (job.attempts, job.lease_until) == (1, None)


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
@pytest.mark.parametrize("status", [S.UPLOADING, S.STORED, S.COPYING_FAILED])
def test_a_remove_job_ends_created_and_empty(
    status: S, clerk: Any, settings: Any
) -> None:
    settings.REMOVAL_NEEDS_APPROVAL = False
    session = make_session(status)
    rows = [*session.tempuploadedfile_set.all(), *session.permuploadedfile_set.all()]

    job = run(jobs.request(session, JobKind.REMOVE, clerk, reason="duplicate"))

    session.refresh_from_db()
    assert (job.state, session.status) == (JobState.SUCCEEDED, S.CREATED)
    assert (session.total_files, session.file_count) == (0, 0)
    assert not any(r.file_upload.storage.exists(r.file_upload.name) for r in rows)


@pytest.mark.django_db
@pytest.mark.parametrize("kind", JobKind)
@pytest.mark.parametrize("person", ["manager", "auditor", "uploader", "nobody"])
def test_only_staff_may_ask_for_jobs(
    kind: JobKind, person: str, request: pytest.FixtureRequest
) -> None:
    session = make_session(S.UPLOADING if kind == JobKind.STORE else S.STORED)
    jobs_before = Job.objects.count()

    with pytest.raises(NotPermitted, match=f"upload.{kind}_uploadsession"):
        jobs.request(session, kind, request.getfixturevalue(person))

    assert Job.objects.count() == jobs_before


@pytest.mark.django_db
@pytest.mark.parametrize("kind", JobKind)
def test_a_job_is_refused_where_the_state_forbids_it(kind: JobKind, clerk: Any) -> None:
    session = make_session(S.EXPIRED)

    with pytest.raises((IllegalTransition, DestinationRefused)):
        jobs.request(session, kind, clerk)


@pytest.mark.django_db
def test_a_second_job_on_a_session_is_refused(clerk: Any) -> None:
    session = make_session(S.UPLOADING)
    jobs.request(session, JobKind.STORE, clerk)

    with pytest.raises(SessionBusy, match="already has a job"):
        jobs.request(session, JobKind.REMOVE, clerk)


@on_real_commits
def test_of_many_requests_at_one_instant_one_wins(clerk: Any) -> None:
    session = make_session(S.UPLOADING)

    results = race(
        6,
        lambda i: jobs.request(
            UploadSession.objects.get(pk=session.pk), JobKind.STORE, clerk
        ),
    )

    assert sum(isinstance(r, Job) for r in results) == 1
    assert sum(isinstance(r, SessionBusy) for r in results) == 5


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


@on_real_commits
def test_rights_are_asked_again_when_the_job_starts(clerk: Any) -> None:
    session = make_session(S.UPLOADING)
    job = jobs.request(session, JobKind.STORE, clerk)
    clerk.groups.clear()

    run(job)

    session.refresh_from_db()
    assert (job.state, job.error_code) == (JobState.FAILED, "not_permitted")
    assert session.status == S.UPLOADING


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


@pytest.mark.django_db
def test_a_waiting_job_is_cancelled_at_once(clerk: Any) -> None:
    session = make_session(S.UPLOADING)
    job = jobs.request(session, JobKind.STORE, clerk)

    jobs.cancel(job, clerk)

    job.refresh_from_db()
    session.refresh_from_db()
    assert (job.state, session.status) == (JobState.CANCELLED, S.UPLOADING)
    assert tasks.run_job(job.pk) is False


@pytest.mark.django_db
@pytest.mark.parametrize("person", ["manager", "auditor", "uploader", "nobody"])
def test_who_may_not_ask_may_not_cancel(
    person: str, clerk: Any, request: pytest.FixtureRequest
) -> None:
    job = jobs.request(make_session(S.UPLOADING), JobKind.STORE, clerk)

    with pytest.raises(NotPermitted):
        jobs.cancel(job, request.getfixturevalue(person))

    job.refresh_from_db()
    assert job.state == JobState.QUEUED


@on_real_commits
def test_a_running_store_that_is_cancelled_ends_copying_failed(clerk: Any) -> None:
    session = make_session(S.UPLOADING)
    job = jobs.request(session, JobKind.STORE, clerk)
    work = execution._start(Job.objects.get(pk=job.pk))
    assert work
    jobs.cancel(job, clerk)
    let_lease_run_out(job)

    run(job)

    session.refresh_from_db()
    assert job.state == JobState.CANCELLED
    assert session.status == S.COPYING_FAILED


@on_real_commits
def test_an_ended_job_cannot_be_cancelled(clerk: Any) -> None:
    job = run(jobs.request(make_session(S.UPLOADING), JobKind.STORE, clerk))

    with pytest.raises(IllegalTransition, match="Succeeded"):
        jobs.cancel(job, clerk)


@on_real_commits
def test_a_failed_store_can_be_retried_and_does_the_rest(clerk: Any) -> None:
    session = make_session(S.UPLOADING)
    row = session.tempuploadedfile_set.get(name="a.txt")
    path = Path(row.file_upload.path)
    hidden = path.rename(path.with_suffix(".hidden"))
    failed = run(jobs.request(session, JobKind.STORE, clerk))
    assert failed.state == JobState.FAILED
    hidden.rename(path)
    session.refresh_from_db()

    job = run(jobs.retry(failed, clerk))

    session.refresh_from_db()
    assert (job.state, session.status) == (JobState.SUCCEEDED, S.STORED)
    assert job.files_total == 1
    assert session.permuploadedfile_set.count() == 2


@on_real_commits
def test_the_items_tell_what_became_of_each_file(clerk: Any) -> None:
    session = make_session(S.UPLOADING)
    row = session.tempuploadedfile_set.get(name="a.txt")
    row.file_upload.storage.delete(row.file_upload.name)

    job = run(jobs.request(session, JobKind.STORE, clerk))

    outcomes = {i.name: i.outcome for i in job.item_set.all()}
    assert outcomes == {"a.txt": ItemOutcome.MISSING, "b.pdf": ItemOutcome.DONE}


@pytest.mark.django_db
def test_the_removal_of_stored_files_waits_for_a_second_person(
    clerk: Any, manager: Any
) -> None:
    job = jobs.request(make_session(S.STORED), JobKind.REMOVE, clerk, reason="dup")
    assert job.state == JobState.AWAITING_APPROVAL

    jobs.approve(job, manager)

    job.refresh_from_db()
    assert (job.state, job.approver) == (JobState.QUEUED, manager)


@pytest.mark.django_db
def test_nobody_approves_their_own_removal(superuser: Any) -> None:
    job = jobs.request(make_session(S.STORED), JobKind.REMOVE, superuser)

    with pytest.raises(NotPermitted, match="somebody other than who asked"):
        jobs.approve(job, superuser)


@pytest.mark.django_db
@pytest.mark.parametrize("person", ["clerk", "auditor", "uploader", "nobody"])
def test_only_managers_approve(
    person: str, superuser: Any, request: pytest.FixtureRequest
) -> None:
    job = jobs.request(make_session(S.STORED), JobKind.REMOVE, superuser)

    with pytest.raises(NotPermitted):
        jobs.approve(job, request.getfixturevalue(person))


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
    job = jobs.request(session, JobKind.REMOVE, clerk)
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
def test_the_queue_carries_the_id_only(clerk: Any) -> None:
    from django_q.models import OrmQ
    from django_q.signing import SignedPackage

    job = jobs.request(make_session(S.UPLOADING), JobKind.STORE, clerk)

    payload = SignedPackage.loads(OrmQ.objects.get().payload)
    assert (payload["func"], payload["args"]) == ("upload.tasks.run_job", (job.pk,))
    assert OrmQ.objects.get().key == "long"


@on_real_commits
def test_a_rolled_back_request_queues_nothing(clerk: Any) -> None:
    from django.db import transaction
    from django_q.models import OrmQ

    session = make_session(S.UPLOADING)

    with pytest.raises(ZeroDivisionError), transaction.atomic():
        jobs.request(session, JobKind.STORE, clerk)
        raise ZeroDivisionError

    assert not OrmQ.objects.exists()
    assert not Job.objects.exists()


@pytest.mark.django_db
def test_events_are_append_only() -> None:
    make_session()
    event = SessionEvent.objects.first()

    with pytest.raises(TypeError, match="append-only"):
        event.save()
    with pytest.raises(TypeError, match="append-only"):
        event.delete()
    with pytest.raises(TypeError, match="append-only"):
        SessionEvent.objects.update(reason="x")
    with pytest.raises(TypeError, match="append-only"):
        SessionEvent.objects.all().delete()


@on_real_commits
def test_every_attempt_and_move_leaves_an_event(clerk: Any) -> None:
    session = make_session(S.UPLOADING, files={"a.txt": b"1"})

    run(jobs.request(session, JobKind.STORE, clerk))

    codes = [e.code for e in SessionEvent.objects.order_by("pk")]
    assert codes == [
        "upload.session.opened",
        "upload.session.upload_started",
        "upload.session.file_received",
        "upload.session.store_requested",
        "upload.session.copy_started",
        "upload.session.stored",
    ]
    assert {e.actor_name for e in SessionEvent.objects.order_by("-pk")[:3]} == {
        clerk.username
    }


@pytest.mark.django_db
def test_no_event_holds_the_token(clerk: Any) -> None:
    session = make_session(S.STORED, user=make_user())

    told = [str(e.__dict__) for e in SessionEvent.objects.all()]

    assert not any(session.token in text for text in told)
