"""Expiry: EXPIRED is committed first, bytes go after, one bad session stops nobody."""

from contextlib import suppress
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.db import transaction
from django.utils import timezone

from tests.make import (
    aged,
    make_session,
    make_upload,
)
from upload import expiry, jobs, transitions
from upload.errors import SessionBusy
from upload.models import SessionEvent, Submission, UploadSession
from upload.states import JobKind, SessionStatus

S = SessionStatus
LONG_AGO = 10**5
on_real_commits = pytest.mark.django_db(transaction=True)


def block_key(row: Any) -> None:
    """Put a folder with a file in it where the row's bytes are: no unlink can work."""
    path = Path(row.file_upload.path)
    path.unlink()
    path.mkdir()
    (path / "in-the-way").touch()


@on_real_commits
def test_the_bytes_of_an_expired_session_go() -> None:
    session = make_session(S.UPLOADING)
    rows = session.get_temporary_uploads()

    session.expire()

    assert not any(r.file_upload.storage.exists(r.file_upload.name) for r in rows)


@on_real_commits
def test_an_expiry_that_is_rolled_back_keeps_the_bytes() -> None:
    session = make_session(S.UPLOADING)

    with suppress(ZeroDivisionError), transaction.atomic():
        session.expire()
        _ = 1 / 0

    session.refresh_from_db()
    assert (session.status, session.file_count) == (S.UPLOADING, 2)


@on_real_commits
def test_a_purge_goes_on_where_a_crash_stopped() -> None:
    session = make_session(S.UPLOADING)
    transitions.move(session, S.EXPIRED)
    assert session.tempuploadedfile_set.count() == 2

    assert expiry.expire_due(UploadSession.objects) == (1, 0)

    assert session.tempuploadedfile_set.count() == 0


@pytest.mark.django_db
def test_a_session_with_a_waiting_job_does_not_expire(clerk: Any) -> None:
    session = aged(make_session(S.UPLOADING), LONG_AGO)
    jobs.request(session, JobKind.STORE, clerk)

    with pytest.raises(SessionBusy):
        session.expire()

    session.refresh_from_db()
    assert session.status == S.UPLOADING
    assert not UploadSession.objects.get_expirable().exists()


@on_real_commits
def test_due_sessions_expire_and_others_stay() -> None:
    due = aged(make_session(S.UPLOADING), LONG_AGO)
    fresh = make_session(S.UPLOADING)

    assert expiry.expire_due(UploadSession.objects) == (1, 0)

    due.refresh_from_db()
    fresh.refresh_from_db()
    assert (due.status, fresh.status) == (S.EXPIRED, S.UPLOADING)


@on_real_commits
def test_one_session_that_cannot_lose_its_bytes_stops_nobody() -> None:
    bad = aged(make_session(S.UPLOADING), LONG_AGO)
    good = aged(make_session(S.UPLOADING), LONG_AGO)
    block_key(bad.tempuploadedfile_set.first())

    expiry.expire_due(UploadSession.objects)

    bad.refresh_from_db()
    good.refresh_from_db()
    assert (bad.status, good.status) == (S.EXPIRED, S.EXPIRED)
    assert not good.tempuploadedfile_set.exists()


@pytest.mark.django_db
def test_a_changed_setting_moves_the_stored_expiry(settings: Any) -> None:
    session = make_session()
    settings.UPLOAD_SESSION_EXPIRE_AFTER_INACTIVE_MINUTES = 7

    assert expiry.refresh_dates(UploadSession.objects) == 1

    session.refresh_from_db()
    expected = session.last_upload_interaction_time + timedelta(minutes=7)
    assert abs(session.expires_on - expected) < timedelta(milliseconds=1)
    assert expiry.refresh_dates(UploadSession.objects) == 0


@pytest.mark.django_db
def test_switching_expiry_off_clears_the_stored_expiry(settings: Any) -> None:
    session = make_session()
    settings.UPLOAD_SESSION_EXPIRE_AFTER_INACTIVE_MINUTES = -1

    expiry.refresh_dates(UploadSession.objects)

    session.refresh_from_db()
    assert session.expires_on is None


@on_real_commits
def test_expired_sessions_are_deleted_after_their_time_and_events_stay(
    settings: Any,
) -> None:
    settings.DELETE_EXPIRED_AFTER_DAYS = 30
    old, recent = make_session(S.EXPIRED), make_session(S.EXPIRED)
    then = timezone.now() - timedelta(days=31)
    UploadSession.objects.filter(pk=old.pk).update(last_upload_interaction_time=then)

    assert expiry.delete_expired(UploadSession.objects) == (1, 0)

    assert list(UploadSession.objects.all()) == [recent]
    assert SessionEvent.objects.filter(session_uuid=old.uuid, session=None).exists()


@on_real_commits
def test_a_session_that_a_submission_refers_to_is_never_deleted(settings: Any) -> None:
    settings.DELETE_EXPIRED_AFTER_DAYS = 0
    session = make_session(S.EXPIRED)
    Submission.objects.create(title="kept", upload_session=session)

    assert expiry.delete_expired(UploadSession.objects) == (0, 0)

    assert UploadSession.objects.filter(pk=session.pk).exists()


@on_real_commits
def test_a_session_used_since_it_was_listed_as_due_does_not_expire() -> None:
    for _count in range(2):
        aged(make_session(S.UPLOADING), LONG_AGO)

    def use_the_next(expired: Any, problem: Exception | None) -> None:
        """Between two sessions of one sweep, which has listed both."""
        for other in UploadSession.objects.filter(status=S.UPLOADING):
            if other.total_files == 2:
                other.add_temp_file(make_upload("late.txt"))

    expiry.expire_due(UploadSession.objects, use_the_next)

    kept = UploadSession.objects.get(status=S.UPLOADING)
    assert kept.file_count == 3


@on_real_commits
def test_a_session_that_a_submission_refers_to_does_not_expire_by_itself() -> None:
    session = aged(make_session(S.UPLOADING), LONG_AGO)
    Submission.objects.create(title="kept", upload_session=session)

    assert expiry.expire_due(UploadSession.objects) == (0, 0)

    session.refresh_from_db()
    assert (session.status, session.file_count) == (S.UPLOADING, 2)


@on_real_commits
def test_a_session_that_holds_a_permanent_file_is_never_deleted(settings: Any) -> None:
    settings.DELETE_EXPIRED_AFTER_DAYS = 0
    session = make_session(S.UPLOADING)
    session.tempuploadedfile_set.earliest("pk").move_to_permanent_storage()
    session.expire()

    assert expiry.delete_expired(UploadSession.objects) == (0, 0)

    assert session.permuploadedfile_set.get().exists
