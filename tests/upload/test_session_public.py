"""``UploadSession`` behaves as the seed document says, method by method."""

from datetime import timedelta
from typing import Any

import pytest
from django.db import IntegrityError
from django.utils import timezone

from tests.make import make_session, make_upload, make_user
from upload.errors import IllegalTransition, JobFailed, LimitExceeded, NameTaken
from upload.models import (
    InProgressSubmission,
    PermUploadedFile,
    Submission,
    TempUploadedFile,
    UploadSession,
)
from upload.states import SessionStatus

S = SessionStatus
pytestmark = pytest.mark.django_db


def aged(session: UploadSession, minutes: int) -> UploadSession:
    """Return the session as if its last interaction were ``minutes`` ago."""
    session.last_upload_interaction_time = timezone.now() - timedelta(minutes=minutes)
    session.save()
    return session


def test_a_new_session_is_created_empty_and_owned() -> None:
    user = make_user()

    session = UploadSession.new_session(user=user)

    assert (session.status, session.user) == (S.CREATED, user)
    assert (session.file_count, session.upload_size) == (0, 0)
    assert len(session.token) == 32


def test_a_new_session_needs_no_user() -> None:
    assert UploadSession.new_session().user is None


def test_the_limit_is_not_enforced_unless_asked(settings: Any) -> None:
    settings.UPLOAD_SESSION_MAX_CONCURRENT_OPEN = 1
    user = make_user()
    UploadSession.new_session(user)

    assert UploadSession.new_session(user).pk


def test_the_limit_is_enforced_when_asked(settings: Any) -> None:
    settings.UPLOAD_SESSION_MAX_CONCURRENT_OPEN = 1
    user = make_user()
    UploadSession.new_session(user, enforce_limit=True)

    with pytest.raises(UploadSession.SessionLimitExceeded, match="at most 1"):
        UploadSession.new_session(user, enforce_limit=True)


def test_minus_one_switches_the_limit_off(settings: Any) -> None:
    settings.UPLOAD_SESSION_MAX_CONCURRENT_OPEN = -1
    user = make_user()

    for _ in range(12):
        UploadSession.new_session(user, enforce_limit=True)


def test_sessions_that_are_not_open_do_not_count(settings: Any) -> None:
    settings.UPLOAD_SESSION_MAX_CONCURRENT_OPEN = 1
    user = make_user()
    make_session(S.STORED, user=user)
    aged(make_session(user=user), 5000)

    assert UploadSession.new_session(user, enforce_limit=True).pk


@pytest.mark.parametrize("status", [S.UPLOADING, S.STORED, S.COPYING_FAILED])
def test_size_and_count_include_temporary_and_permanent_files(status: S) -> None:
    session = make_session(status, files={"a.txt": b"12345", "b.txt": b"123"})

    assert (session.upload_size, session.file_count) == (8, 2)


def test_size_and_count_are_zero_when_expired() -> None:
    session = make_session(S.EXPIRED)

    assert (session.upload_size, session.file_count) == (0, 0)


@pytest.mark.parametrize("status", [S.COPYING_IN_PROGRESS, S.REMOVING_IN_PROGRESS])
@pytest.mark.parametrize("name", ["upload_size", "file_count"])
def test_size_and_count_raise_while_files_move(status: S, name: str) -> None:
    session = make_session(status)

    with pytest.raises(ValueError, match="cannot count its files"):
        getattr(session, name)


@pytest.mark.parametrize("status", [S.CREATED, S.UPLOADING, S.EXPIRED])
def test_open_and_expired_sessions_have_an_expiry(settings: Any, status: S) -> None:
    settings.UPLOAD_SESSION_EXPIRE_AFTER_INACTIVE_MINUTES = 30
    session = make_session(status)

    assert session.expires_at == session.last_upload_interaction_time + timedelta(
        minutes=30
    )


@pytest.mark.parametrize(
    "status",
    [S.COPYING_IN_PROGRESS, S.STORED, S.COPYING_FAILED, S.REMOVING_IN_PROGRESS],
)
def test_other_states_never_expire(status: S) -> None:
    session = make_session(status)

    assert session.expires_at is None
    assert not session.is_expired
    assert not session.expires_within(10**6)


def test_minus_one_switches_expiry_off(settings: Any) -> None:
    settings.UPLOAD_SESSION_EXPIRE_AFTER_INACTIVE_MINUTES = -1
    session = aged(make_session(), 10**6)

    assert session.expires_at is None
    assert not session.is_expired
    assert not UploadSession.objects.get_expirable().exists()
    assert not UploadSession.objects.get_deletable().exists()


def test_a_session_past_its_time_is_expired(settings: Any) -> None:
    settings.UPLOAD_SESSION_EXPIRE_AFTER_INACTIVE_MINUTES = 30

    assert aged(make_session(), 31).is_expired is True
    assert aged(make_session(), 29).is_expired is False


def test_an_expired_session_stays_expired_when_expiry_is_off(settings: Any) -> None:
    session = make_session(S.EXPIRED)
    settings.UPLOAD_SESSION_EXPIRE_AFTER_INACTIVE_MINUTES = -1

    assert session.is_expired is True


def test_expires_within_counts_minutes_from_now(settings: Any) -> None:
    settings.UPLOAD_SESSION_EXPIRE_AFTER_INACTIVE_MINUTES = 60
    session = aged(make_session(), 31)

    assert session.expires_within(30) is True
    assert session.expires_within(28) is False


def test_expires_soon_uses_the_reminder_time(settings: Any) -> None:
    settings.UPLOAD_SESSION_EXPIRE_AFTER_INACTIVE_MINUTES = 60
    settings.UPLOAD_SESSION_EXPIRING_REMINDER_MINUTES = 30

    assert aged(make_session(), 31).expires_soon is True
    assert aged(make_session(), 15).expires_soon is False


def test_minus_one_switches_the_reminder_off(settings: Any) -> None:
    settings.UPLOAD_SESSION_EXPIRING_REMINDER_MINUTES = -1

    assert aged(make_session(), 10**5).expires_soon is False


@pytest.mark.parametrize("status", [S.CREATED, S.UPLOADING])
def test_an_open_session_expires_and_loses_its_files(status: S) -> None:
    session = make_session(status)

    session.expire()

    session.refresh_from_db()
    assert session.status == S.EXPIRED
    assert not session.tempuploadedfile_set.exists()
    assert (session.total_files, session.total_size_bytes) == (0, 0)


@pytest.mark.parametrize("status", set(S) - {S.CREATED, S.UPLOADING})
def test_no_other_state_expires(status: S) -> None:
    session = make_session(status)

    with pytest.raises(ValueError, match="starts only from: Created, Uploading"):
        session.expire()

    session.refresh_from_db()
    assert session.status == status


def test_expire_decides_by_the_row_not_by_a_stale_instance() -> None:
    session = make_session(S.UPLOADING)
    stale = UploadSession.objects.get(pk=session.pk)
    session.make_uploads_permanent()

    with pytest.raises(IllegalTransition):
        stale.expire()


@pytest.mark.parametrize("status", [S.CREATED, S.UPLOADING])
def test_touch_writes_the_interaction_time(status: S) -> None:
    session = aged(make_session(status), 100)

    session.touch()

    session.refresh_from_db()
    assert timezone.now() - session.last_upload_interaction_time < timedelta(minutes=1)
    assert session.expires_on == session.expires_at


def test_touch_without_save_changes_the_instance_only() -> None:
    session = aged(make_session(), 100)
    before = session.last_upload_interaction_time

    session.touch(save=False)

    assert session.last_upload_interaction_time > before
    session.refresh_from_db()
    assert session.last_upload_interaction_time == before


@pytest.mark.parametrize("status", set(S) - {S.CREATED, S.UPLOADING})
def test_touch_leaves_other_states_alone(status: S) -> None:
    session = aged(make_session(status), 100)
    before = session.last_upload_interaction_time

    session.touch()

    session.refresh_from_db()
    assert session.last_upload_interaction_time == before


def test_the_first_file_moves_created_to_uploading() -> None:
    session = make_session()

    temp = session.add_temp_file(make_upload("note.txt", b"hello"))

    session.refresh_from_db()
    assert isinstance(temp, TempUploadedFile)
    assert (temp.name, temp.size, temp.exists) == ("note.txt", 5, True)
    assert temp.sha256 == (
        "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824"
    )
    assert (session.status, session.total_files) == (S.UPLOADING, 1)


@pytest.mark.parametrize("status", set(S) - {S.CREATED, S.UPLOADING})
def test_files_are_refused_in_other_states(status: S) -> None:
    session = make_session(status)

    with pytest.raises(ValueError, match="it cannot take files"):
        session.add_temp_file(make_upload("late.txt"))


def test_a_second_file_of_a_name_is_refused() -> None:
    session = make_session()
    session.add_temp_file(make_upload("a.txt", b"one"))

    with pytest.raises(NameTaken, match=r"“a\.txt”"):
        session.add_temp_file(make_upload("a.txt", b"two"))

    assert session.upload_size == 3


def test_a_file_above_the_total_size_is_refused_and_not_kept(settings: Any) -> None:
    settings.MAX_TOTAL_UPLOAD_SIZE_MB = 1
    session = make_session()

    with pytest.raises(LimitExceeded, match="1 MB"):
        session.add_temp_file(make_upload("big.txt", bytes(1_000_001)))

    session.refresh_from_db()
    assert (session.status, session.file_count) == (S.CREATED, 0)


def test_removing_the_last_file_leaves_the_session_created() -> None:
    session = make_session(S.UPLOADING, files={"a.txt": b"1", "b.txt": b"2"})

    session.remove_temp_file_by_name("a.txt")
    assert session.status == S.UPLOADING

    session.remove_temp_file_by_name("b.txt")
    session.refresh_from_db()
    assert (session.status, session.total_files) == (S.CREATED, 0)


def test_removing_an_unknown_name_says_so() -> None:
    session = make_session(S.UPLOADING)

    with pytest.raises(FileNotFoundError, match=r"“nope.txt”"):
        session.remove_temp_file_by_name("nope.txt")


@pytest.mark.parametrize("status", set(S) - {S.UPLOADING})
def test_removing_by_name_needs_an_uploading_session(status: S) -> None:
    with pytest.raises(ValueError, match="starts only from: Uploading"):
        make_session(status).remove_temp_file_by_name("a.txt")


@pytest.mark.parametrize(
    ("status", "kind"), [(S.UPLOADING, TempUploadedFile), (S.STORED, PermUploadedFile)]
)
def test_a_file_is_found_by_name(status: S, kind: type) -> None:
    session = make_session(status)

    found = session.get_file_by_name("a.txt")

    assert isinstance(found, kind)
    assert found.name == "a.txt"


@pytest.mark.parametrize("status", [S.UPLOADING, S.STORED])
def test_an_unknown_name_is_file_not_found(status: S) -> None:
    with pytest.raises(FileNotFoundError):
        make_session(status).get_file_by_name("nope.txt")


@pytest.mark.parametrize("status", set(S) - {S.UPLOADING, S.STORED})
def test_by_name_needs_uploading_or_stored(status: S) -> None:
    with pytest.raises(ValueError, match="give a file by its name"):
        make_session(status).get_file_by_name("a.txt")


@pytest.mark.parametrize(
    ("status", "temporary", "permanent"),
    [(S.CREATED, 0, 0), (S.UPLOADING, 2, 0), (S.STORED, 0, 2)],
)
def test_uploads_follow_the_state(status: S, temporary: int, permanent: int) -> None:
    session = make_session(status)

    assert len(session.get_temporary_uploads()) == temporary
    assert len(session.get_permanent_uploads()) == permanent
    assert len(session.get_uploads()) == temporary + permanent


@pytest.mark.parametrize(
    "status", [S.EXPIRED, S.COPYING_IN_PROGRESS, S.REMOVING_IN_PROGRESS]
)
@pytest.mark.parametrize(
    "method", ["get_temporary_uploads", "get_permanent_uploads", "get_uploads"]
)
def test_uploads_cannot_be_listed_while_they_move(status: S, method: str) -> None:
    with pytest.raises(ValueError, match="cannot list its"):
        getattr(make_session(status), method)()


def test_remove_temp_uploads_ends_created() -> None:
    session = make_session(S.UPLOADING)

    session.remove_temp_uploads()

    session.refresh_from_db()
    assert (session.status, session.file_count) == (S.CREATED, 0)


def test_remove_temp_uploads_without_save_leaves_the_status() -> None:
    session = make_session(S.UPLOADING)

    session.remove_temp_uploads(save=False)

    session.refresh_from_db()
    assert (session.status, session.file_count) == (S.UPLOADING, 0)


@pytest.mark.parametrize("status", [S.CREATED, S.REMOVING_IN_PROGRESS])
def test_remove_temp_uploads_does_nothing_where_nothing_is_to_do(status: S) -> None:
    session = make_session(status)

    session.remove_temp_uploads()

    session.refresh_from_db()
    assert session.status == status


@pytest.mark.parametrize("status", [S.EXPIRED, S.COPYING_IN_PROGRESS, S.STORED])
def test_remove_temp_uploads_is_refused_elsewhere(status: S) -> None:
    with pytest.raises(ValueError, match="it cannot"):
        make_session(status).remove_temp_uploads()


def test_make_uploads_permanent_stores_every_file() -> None:
    session = make_session(S.UPLOADING)
    uuids = {row.name: row.uuid for row in session.tempuploadedfile_set.all()}

    session.make_uploads_permanent()

    rows = session.permuploadedfile_set.all()
    assert session.status == S.STORED
    assert {row.name: row.uuid for row in rows} == uuids
    assert all(row.exists for row in rows)
    assert (session.total_files, session.total_size_bytes) == (2, 11)


def test_make_uploads_permanent_twice_does_nothing() -> None:
    session = make_session(S.STORED)

    session.make_uploads_permanent()

    assert session.job_set.count() == 1


@pytest.mark.parametrize("status", set(S) - {S.UPLOADING, S.STORED, S.COPYING_FAILED})
def test_make_uploads_permanent_is_refused_elsewhere(status: S) -> None:
    with pytest.raises(ValueError, match="it cannot be stored"):
        make_session(status).make_uploads_permanent()


def test_a_store_with_a_missing_file_fails_and_names_it() -> None:
    session = make_session(S.UPLOADING, files={"gone.txt": b"1", "kept.txt": b"2"})
    row = session.tempuploadedfile_set.get(name="gone.txt")
    row.file_upload.storage.delete(row.file_upload.name)

    with pytest.raises(JobFailed, match=r"gone\.txt"):
        session.make_uploads_permanent()

    session.refresh_from_db()
    assert session.status == S.COPYING_FAILED
    assert [r.name for r in session.permuploadedfile_set.all()] == ["kept.txt"]


def test_quantity_groups_by_accepted_formats(settings: Any) -> None:
    settings.ACCEPTED_FILE_FORMATS = {"PDF": ["pdf"], "Image": ["jpg", "png"]}
    session = make_session(
        S.UPLOADING, files={"a.pdf": b"1", "b.PDF": b"2", "c.png": b"3"}
    )

    text = session.get_quantity_and_unit_of_measure()

    assert "2 PDF files" in text
    assert "1 Image file" in text
    assert "1 Image files" not in text
    assert "3" in text


def test_quantity_is_empty_where_uploads_are_off(settings: Any) -> None:
    settings.FILE_UPLOAD_ENABLED = False

    assert make_session(S.UPLOADING).get_quantity_and_unit_of_measure() == ""


def test_quantity_of_an_empty_session_says_that_there_are_none() -> None:
    assert "0" in make_session().get_quantity_and_unit_of_measure()


@pytest.mark.parametrize("status", set(S) - {S.CREATED, S.UPLOADING, S.STORED})
def test_quantity_is_refused_elsewhere(status: S) -> None:
    with pytest.raises(ValueError, match="cannot"):
        make_session(status).get_quantity_and_unit_of_measure()


def test_the_reverse_accessors_are_the_documents() -> None:
    session = make_session()
    draft = InProgressSubmission.objects.create(title="d", upload_session=session)
    submission = Submission.objects.create(title="s", upload_session=session)

    assert session.in_progress_submission == draft
    assert session.submission_set.get() == submission
    assert session.tempuploadedfile_set.count() == 0
    assert session.permuploadedfile_set.count() == 0


def test_deleting_a_draft_keeps_the_session() -> None:
    session = make_session()
    InProgressSubmission.objects.create(title="d", upload_session=session).delete()

    assert UploadSession.objects.filter(pk=session.pk).exists()


def test_the_token_is_unique_and_in_no_text_of_the_session() -> None:
    session = make_session()

    assert session.token not in str(session)
    with pytest.raises(IntegrityError):
        UploadSession.objects.create(token=session.token)


def test_expirable_are_open_sessions_past_their_time(settings: Any) -> None:
    settings.UPLOAD_SESSION_EXPIRE_AFTER_INACTIVE_MINUTES = 30
    due = aged(make_session(), 31)
    aged(make_session(), 29)
    aged(make_session(S.STORED), 31)

    assert list(UploadSession.objects.get_expirable()) == [due]


def test_deletable_are_expired_sessions_that_nothing_refers_to() -> None:
    free, drafted, submitted = (make_session(S.EXPIRED) for _ in range(3))
    InProgressSubmission.objects.create(title="d", upload_session=drafted)
    Submission.objects.create(title="s", upload_session=submitted)

    assert list(UploadSession.objects.get_deletable()) == [free]


def test_get_next_by_started_at_follows_time() -> None:
    first, second = make_session(), make_session()

    assert first.get_next_by_started_at() == second
    assert second.get_previous_by_last_upload_interaction_time() == first


def test_the_stored_expiry_follows_a_save() -> None:
    session = aged(make_session(), 10)

    session.refresh_from_db()
    assert session.expires_on == session.expires_at
