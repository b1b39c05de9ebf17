"""Jobs: one at a time, claimed once, fenced, cancelled, retried, recovered."""

from pathlib import Path
from typing import Any

import pytest

from tests.make import let_lease_run_out, make_session, make_user, run
from tests.racing import race
from upload import execution, jobs, tasks
from upload.errors import (
    DestinationRefused,
    IllegalTransition,
    NotPermitted,
    SessionBusy,
)
from upload.models import Job, SessionEvent, UploadSession
from upload.states import ItemOutcome, JobKind, JobState, SessionStatus

S = SessionStatus
on_real_commits = pytest.mark.django_db(transaction=True)


@on_real_commits
def test_a_store_job_stores(clerk: Any) -> None:
    session = make_session(S.UPLOADING)

    job = run(jobs.request(session, JobKind.STORE, clerk))

    session.refresh_from_db()
    assert (job.state, session.status) == (JobState.SUCCEEDED, S.STORED)
    assert (job.files_done, job.bytes_done, job.percent) == (2, 11, 100)
    assert (job.attempts, job.lease_until) == (1, None)


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
        jobs.request(session, kind, clerk, reason="old")


@pytest.mark.django_db
def test_a_second_job_on_a_session_is_refused(clerk: Any) -> None:
    session = make_session(S.UPLOADING)
    jobs.request(session, JobKind.STORE, clerk)

    with pytest.raises(SessionBusy, match="already has a job"):
        jobs.request(session, JobKind.REMOVE, clerk, reason="old")


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
def test_rights_are_asked_again_when_the_job_starts(clerk: Any) -> None:
    session = make_session(S.UPLOADING)
    job = jobs.request(session, JobKind.STORE, clerk)
    clerk.groups.clear()

    run(job)

    session.refresh_from_db()
    assert (job.state, job.error_code) == (JobState.FAILED, "not_permitted")
    assert session.status == S.UPLOADING


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
    job = jobs.request(make_session(S.STORED), JobKind.REMOVE, superuser, reason="old")

    with pytest.raises(NotPermitted, match="somebody other than who asked"):
        jobs.approve(job, superuser)


@pytest.mark.django_db
@pytest.mark.parametrize("person", ["clerk", "auditor", "uploader", "nobody"])
def test_only_managers_approve(
    person: str, superuser: Any, request: pytest.FixtureRequest
) -> None:
    job = jobs.request(make_session(S.STORED), JobKind.REMOVE, superuser, reason="old")

    with pytest.raises(NotPermitted):
        jobs.approve(job, request.getfixturevalue(person))


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
        "upload.session.store_started",
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
