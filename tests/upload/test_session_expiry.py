"""Expiry of a session as the seed document says: times, reminders, touch, -1."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from tests.make import (
    aged,
    make_session,
)
from upload.errors import IllegalTransition
from upload.models import (
    InProgressSubmission,
    Submission,
    UploadSession,
)
from upload.states import SessionStatus

S = SessionStatus
pytestmark = pytest.mark.django_db


def test_size_and_count_are_zero_when_expired() -> None:
    session = make_session(S.EXPIRED)

    assert (session.upload_size, session.file_count) == (0, 0)


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


def test_the_stored_expiry_follows_a_save() -> None:
    session = aged(make_session(), 10)

    session.refresh_from_db()
    assert session.expires_on == session.expires_at
