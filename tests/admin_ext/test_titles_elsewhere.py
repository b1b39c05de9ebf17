"""What people call a session, where they decide on it; and the way there from it."""

from typing import Any

import pytest
from django.urls import reverse

from portal.models import User
from tests.admin_ext.choosing import choose
from tests.admin_ext.pages import admin_url
from tests.make import make_session
from tests.people import ClientFor
from upload import jobs
from upload.models import Submission, UploadSession
from upload.states import JobKind
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
