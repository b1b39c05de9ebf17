"""Who lets files go says why: the core asks for it, whoever calls."""

from typing import Any

import pytest

from tests.make import aged, make_job, make_session
from upload import expiry, jobs
from upload.errors import ReasonMissing
from upload.events import Cause
from upload.models import Job, SessionEvent, UploadSession
from upload.states import JobKind, JobState
from upload.states import SessionStatus as S

pytestmark = pytest.mark.django_db
BLANK = ["", " \n"]


@pytest.mark.parametrize("reason", BLANK)
def test_a_person_removes_nothing_without_a_reason(clerk: Any, reason: str) -> None:
    session = make_session(S.UPLOADING)

    with pytest.raises(ReasonMissing, match="kept for good"):
        jobs.request(session, JobKind.REMOVE, clerk, reason=reason)

    assert not Job.objects.exists()


@pytest.mark.parametrize("reason", BLANK)
def test_a_person_expires_nothing_without_a_reason(clerk: Any, reason: str) -> None:
    session = make_session(S.UPLOADING)

    with pytest.raises(ReasonMissing, match="kept for good"):
        expiry.expire(session, Cause(actor=clerk, reason=reason))

    session.refresh_from_db()
    assert (session.status, session.file_count) == (S.UPLOADING, 2)


def test_the_reason_of_an_expiry_is_kept_in_its_event(clerk: Any) -> None:
    session = make_session(S.UPLOADING)

    expiry.expire(session, Cause(actor=clerk, reason="Sent twice"))

    event = SessionEvent.objects.get(code="upload.session.expired")
    assert (event.reason, event.actor) == ("Sent twice", clerk)


def test_the_schedule_says_why_it_expires(settings: Any) -> None:
    settings.UPLOAD_SESSION_EXPIRE_AFTER_INACTIVE_MINUTES = 90
    aged(make_session(), 100)

    expiry.expire_due(UploadSession.objects)

    event = SessionEvent.objects.get(code="upload.session.expired")
    assert event.reason == "Nobody worked on the session for 90 minutes."


def test_the_retry_of_a_removal_without_a_reason_names_the_job(clerk: Any) -> None:
    session = make_session(S.UPLOADING)
    failed = make_job(session, JobKind.REMOVE, state=JobState.FAILED)

    assert jobs.retry(failed, clerk).reason == f"Retry of job {failed.uuid}."
