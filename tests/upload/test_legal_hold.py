"""Under a legal hold nothing of a session goes, whoever or whatever asks."""

from typing import Any

import pytest
from django.db.models import ProtectedError

from tests.make import aged, make_job, make_session, make_user, run
from tests.racing import race
from upload import expiry, holding, jobs, recovery
from upload.errors import IllegalTransition, NotPermitted, ReasonMissing
from upload.legal_hold import OnHold
from upload.models import (
    LegalHold,
    PermUploadedFile,
    SessionEvent,
    Submission,
    TempUploadedFile,
    UploadSession,
)
from upload.states import JobKind, JobState, SessionStatus

S = SessionStatus
pytestmark = pytest.mark.django_db(transaction=True)


def held(status: SessionStatus, reason: str = "Case 12") -> UploadSession:
    session = make_session(status)
    holding.place(session, None, reason)
    return session


def first_temporary(session: UploadSession) -> TempUploadedFile:
    return session.tempuploadedfile_set.earliest("pk")


WAYS_OF_AN_OPEN_SESSION: dict[str, Any] = {
    "expire": lambda s: s.expire(),
    "job": lambda s: jobs.request(s, JobKind.REMOVE, None),
    "remove_temp_uploads": lambda s: s.remove_temp_uploads(),
    "remove_temp_uploads_only": lambda s: s.remove_temp_uploads(save=False),
    "by_name": lambda s: s.remove_temp_file_by_name("a.txt"),
    "file_delete": lambda s: first_temporary(s).delete(),
    "file_remove": lambda s: first_temporary(s).remove(),
    "files_queryset": lambda s: s.tempuploadedfile_set.all().delete(),
    "purge": lambda s: expiry.purge(s),
}


@pytest.mark.parametrize("way", WAYS_OF_AN_OPEN_SESSION)
def test_no_file_of_an_open_session_goes_while_it_is_held(way: str) -> None:
    session = held(S.UPLOADING)

    with pytest.raises(OnHold, match="Case 12"):
        WAYS_OF_AN_OPEN_SESSION[way](session)

    session.refresh_from_db()
    assert (session.status, session.file_count) == (S.UPLOADING, 2)


@pytest.mark.parametrize("status", [S.UPLOADING, S.STORED])
@pytest.mark.parametrize("many", [False, True])
def test_a_held_session_is_not_deleted(status: SessionStatus, many: bool) -> None:
    session = held(status)
    rows = UploadSession.objects.filter(pk=session.pk)

    with pytest.raises(ProtectedError, match="LegalHold"):
        rows.delete() if many else session.delete()

    assert rows.get().file_count == 2


def test_no_permanent_file_is_deleted_while_its_session_is_held() -> None:
    session = held(S.STORED)

    with pytest.raises(OnHold):
        PermUploadedFile.objects.filter(session=session).delete()

    assert session.file_count == 2


def test_a_held_session_does_not_expire_by_schedule() -> None:
    session = aged(held(S.UPLOADING), minutes=10**6)

    assert expiry.expire_due(UploadSession.objects) == (0, 0)

    session.refresh_from_db()
    assert (session.status, session.file_count) == (S.UPLOADING, 2)


def test_a_held_session_is_no_cleanups_to_delete() -> None:
    session = make_session(S.EXPIRED)
    UploadSession.objects.filter(pk=session.pk).update(hold_count=1)

    assert not UploadSession.objects.get_deletable().exists()


def test_a_removal_that_waits_does_not_start_once_a_hold_is_placed() -> None:
    session = make_session(S.STORED)
    job = jobs.request(session, JobKind.REMOVE, None)
    job.state = JobState.QUEUED
    job.save()
    holding.place(session, None, "Case 12")

    run(job)

    assert (job.state, job.error_code) == (JobState.FAILED, "on_hold")
    assert "Case 12" in job.error and session.file_count == 2


def test_an_approval_is_refused_while_the_session_is_held(
    clerk: Any, manager: Any
) -> None:
    session = make_session(S.STORED)
    job = jobs.request(session, JobKind.REMOVE, clerk, reason="old")
    holding.place(session, manager, "Case 12")

    with pytest.raises(OnHold):
        jobs.approve(job, manager)

    job.refresh_from_db()
    assert job.state == JobState.AWAITING_APPROVAL


@pytest.mark.parametrize("status", [S.REMOVING_IN_PROGRESS, S.EXPIRED])
def test_a_hold_comes_too_late_for_files_that_go(status: SessionStatus) -> None:
    session = make_session(status)

    with pytest.raises(IllegalTransition):
        holding.place(session, None, "Case 12")

    assert not LegalHold.objects.exists()


def test_a_stale_instance_of_a_held_session_expires_nothing() -> None:
    session = make_session(S.UPLOADING)
    stale = UploadSession.objects.get(pk=session.pk)
    holding.place(session, None, "Case 12")

    stale.touch()
    stale.save()

    with pytest.raises(OnHold):
        stale.expire()


def test_a_held_session_is_stored_and_copied_as_ever() -> None:
    session = held(S.UPLOADING)

    session.make_uploads_permanent()

    assert (session.status, session.file_count) == (S.STORED, 2)


def test_a_hold_on_a_submission_keeps_its_session(manager: Any) -> None:
    session = make_session(S.STORED)
    submission = Submission.objects.create(title="Fonds", upload_session=session)

    holding.place_on_submission(submission, manager, "Case 12")

    with pytest.raises(OnHold, match="Submission “Fonds” held by manager"):
        jobs.request(session, JobKind.REMOVE, None)
    with pytest.raises(ProtectedError):
        submission.delete()


def test_a_held_submission_cannot_leave_its_session() -> None:
    session = make_session(S.STORED)
    submission = Submission.objects.create(title="Fonds", upload_session=session)
    holding.place_on_submission(submission, None, "Case 12")

    submission.upload_session = None

    with pytest.raises(OnHold, match="lose its submission"):
        submission.save()
    with pytest.raises(TypeError):
        Submission.objects.update(upload_session=None)


def test_a_held_submission_keeps_the_session_that_it_is_given_later() -> None:
    submission = Submission.objects.create(title="Fonds")
    holding.place_on_submission(submission, None, "Case 12")
    session = make_session(S.STORED)

    submission.upload_session = session
    submission.save()

    with pytest.raises(OnHold):
        jobs.request(session, JobKind.REMOVE, None)


def test_everything_stays_until_the_last_hold_is_lifted(manager: Any) -> None:
    session = held(S.STORED)
    second = holding.place(session, manager, "Case 13")
    holding.lift(session.hold_set.earliest("pk"), manager, "Case 12 closed")

    with pytest.raises(OnHold, match="Case 13"):
        jobs.request(session, JobKind.REMOVE, None)

    holding.lift(second, manager, "Case 13 closed")
    assert jobs.request(session, JobKind.REMOVE, None)


def test_a_hold_says_for_good_who_placed_and_who_lifted_it(manager: Any) -> None:
    session = make_session(S.STORED)
    hold = holding.place(session, manager, "Case 12")
    holding.lift(hold, manager, "Closed")

    with pytest.raises(TypeError):
        hold.delete()
    with pytest.raises(TypeError):
        LegalHold.objects.all().delete()

    kept = LegalHold.objects.get()
    assert (kept.placed_by_name, kept.lifted_by_name) == ("manager", "manager")
    codes = SessionEvent.objects.filter(reason__in=["Case 12", "Closed"])
    assert [e.code.split(".")[-1] for e in codes] == ["hold_lifted", "hold_placed"]


def test_a_hold_is_lifted_once(manager: Any) -> None:
    hold = holding.place(make_session(S.STORED), manager, "Case 12")
    holding.lift(hold, manager, "Closed")

    with pytest.raises(IllegalTransition, match="lifted before"):
        holding.lift(hold, manager, "Closed")


@pytest.mark.parametrize("role", ["clerk", "auditor", "uploader", "nobody"])
def test_who_may_not_places_and_lifts_no_hold(request: Any, role: str) -> None:
    person = request.getfixturevalue(role)
    session = held(S.STORED)

    with pytest.raises(NotPermitted):
        holding.place(session, person, "Case 13")
    with pytest.raises(NotPermitted):
        holding.lift(session.hold_set.get(), person, "Closed")


def test_a_hold_takes_a_reason(manager: Any) -> None:
    with pytest.raises(ReasonMissing):
        holding.place(make_session(S.STORED), manager, "  ")


@pytest.mark.parametrize("round_", range(6))
def test_a_hold_and_a_removal_at_one_instant_have_one_winner(round_: int) -> None:
    session = make_session(S.UPLOADING)
    job = make_job(session, JobKind.REMOVE)
    mine = UploadSession.objects.get(pk=session.pk)
    deeds: list[Any] = [lambda: holding.place(mine, None, "C"), lambda: run(job)]

    told = race(2, lambda i: deeds[i]())

    session.refresh_from_db()
    kept = session.tempuploadedfile_set.count()
    if LegalHold.objects.filter(lifted_at=None).exists():
        # Placed before the removal, or on the empty session that it left.
        assert (kept, job.state) in [(2, JobState.FAILED), (0, JobState.SUCCEEDED)]
    else:
        assert isinstance(told[0], IllegalTransition) and kept == 0


@pytest.mark.parametrize("round_", range(6))
def test_a_hold_and_an_expiry_at_one_instant_have_one_winner(round_: int) -> None:
    session = make_session(S.UPLOADING)
    mine, other = (UploadSession.objects.get(pk=session.pk) for _ in range(2))
    deeds: list[Any] = [lambda: holding.place(mine, None, "C"), other.expire]

    told = race(2, lambda i: deeds[i]())

    session.refresh_from_db()
    lost = [error for error in told if isinstance(error, IllegalTransition)]
    assert len(lost) == 1
    assert (session.status == S.UPLOADING) is (session.hold_count == 1)
    assert session.tempuploadedfile_set.count() == 2 * session.hold_count


def test_the_watchdog_starts_no_removal_of_a_held_session() -> None:
    session = held(S.STORED)
    make_job(session, JobKind.REMOVE)

    recovery.recover()

    session.refresh_from_db()
    assert (session.status, session.file_count) == (S.STORED, 2)


def test_a_user_who_goes_leaves_the_name_on_the_hold() -> None:
    person = make_user("grace", is_superuser=True)
    holding.place(make_session(S.STORED), person, "Case 12")

    person.delete()

    assert LegalHold.objects.get().placed_by_name == "grace"
