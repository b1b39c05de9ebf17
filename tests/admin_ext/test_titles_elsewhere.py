"""What people call a session, where they decide on it; and the way there from it."""

from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from portal.models import User
from tests.admin_ext.choosing import choose
from tests.admin_ext.pages import admin_url
from tests.make import aged, make_job, make_session
from tests.people import ClientFor
from upload import jobs
from upload.models import Job, Submission, UploadSession
from upload.states import JobKind, JobState
from upload.states import SessionStatus as S

pytestmark = pytest.mark.django_db
TITLE = "Harbour ledger"


def titled(status: S) -> UploadSession:
    session = make_session(status)
    Submission.objects.create(title=TITLE, upload_session=session)
    return session


def test_a_preview_tells_the_titles(clerk: User, client_for: ClientFor) -> None:
    page = choose(client_for(clerk), "store_sessions", titled(S.UPLOADING))

    assert TITLE in page.content.decode()


def test_a_removal_to_approve_tells_the_title(
    clerk: User,
    manager: User,
    client_for: ClientFor,
    django_assert_max_num_queries: Any,
) -> None:
    for _number in range(3):
        jobs.request(titled(S.STORED), JobKind.REMOVE, clerk, reason="old")
    client = client_for(manager)

    with django_assert_max_num_queries(15):
        page = client.get(reverse("admin:upload_job_approvals"))

    assert page.content.decode().count(TITLE) == 3


def test_the_list_of_submissions_leads_to_their_sessions(
    clerk: User, client_for: ClientFor
) -> None:
    session = titled(S.STORED)
    url = admin_url(Submission, "changelist")

    page = client_for(clerk).get(url).content.decode()

    assert reverse("admin:upload_uploadsession_change", args=[session.pk]) in page


def test_what_needs_attention_tells_the_titles(
    clerk: User, manager: User, client_for: ClientFor
) -> None:
    jobs.request(titled(S.STORED), JobKind.REMOVE, clerk, reason="old")
    make_job(titled(S.UPLOADING), JobKind.STORE, state=JobState.FAILED)
    aged(titled(S.UPLOADING), 1300)

    page = client_for(manager).get(reverse("admin:index"))

    groups = [group for group in page.context["groups"] if group.needs]
    assert [need.title for group in groups for need in group.needs] == [TITLE] * 3
    assert page.content.decode().count(TITLE) == 3


def test_the_list_of_jobs_tells_the_titles_by_one_query(
    clerk: User, client_for: ClientFor
) -> None:
    client, url = client_for(clerk), admin_url(Job, "changelist")

    def queries(count: int) -> int:
        for _number in range(count):
            make_job(titled(S.UPLOADING), JobKind.STORE, state=JobState.FAILED)
        with CaptureQueriesContext(connection) as found:
            page = client.get(url)
        assert page.content.decode().count(TITLE) == Job.objects.count()
        return len(found)

    assert queries(1) == queries(6)


def test_the_list_of_jobs_tells_no_title_of_a_session_that_is_gone(
    clerk: User, client_for: ClientFor
) -> None:
    job = make_job(titled(S.UPLOADING), JobKind.STORE, state=JobState.FAILED)
    Job.objects.filter(pk=job.pk).update(session=None)

    page = client_for(clerk).get(admin_url(Job, "changelist")).content.decode()

    assert str(job.session_uuid)[:8] in page
    assert TITLE not in page and "untitled" not in page
