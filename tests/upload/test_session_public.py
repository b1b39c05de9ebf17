"""``UploadSession`` behaves as the seed document says, method by method."""

from typing import Any

import pytest
from django.db import DatabaseError, IntegrityError

from tests.make import aged, make_session, make_user
from upload.errors import ObjectNotUpdated
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


def test_get_next_by_started_at_follows_time() -> None:
    first, second = make_session(), make_session()

    assert first.get_next_by_started_at() == second
    assert second.get_previous_by_last_upload_interaction_time() == first


@pytest.mark.parametrize("model", [UploadSession, TempUploadedFile, PermUploadedFile])
def test_each_model_has_its_own_not_updated(model: Any) -> None:
    assert issubclass(model.NotUpdated, DatabaseError)
    assert issubclass(model.NotUpdated, ObjectNotUpdated)
    assert model.NotUpdated.__qualname__ == f"{model.__name__}.NotUpdated"


def test_saving_a_row_that_is_gone_is_not_updated() -> None:
    session = make_session()
    UploadSession.objects.filter(pk=session.pk).delete()

    with pytest.raises(UploadSession.NotUpdated):
        session.save(update_fields=["started_at"])
