"""The titles in the session list: whose words they are, and where they lead."""

import re
from datetime import timedelta
from html import unescape
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from tests.make import make_session
from upload.models import InProgressSubmission, Submission, UploadSession

pytestmark = pytest.mark.django_db
LIST = "/admin/upload/uploadsession/"


def submit(session: UploadSession, title: str, days_ago: int = 0) -> None:
    at = timezone.now() - timedelta(days=days_ago)
    Submission.objects.create(title=title, upload_session=session, submitted_at=at)


def draft(session: UploadSession, title: str) -> None:
    InProgressSubmission.objects.create(title=title, upload_session=session)


def title_of(session: UploadSession, client: Client) -> str:
    """Return the words of the second link that leads to the session."""
    page = client.get(LIST).content.decode()
    found = re.findall(
        rf'<a href="{LIST}{session.pk}/change/"[^>]*>\s*<[^>]*>([^<]*)<', page
    )
    return unescape(found[1])


def test_a_session_has_the_title_of_its_submission(clerk: Any, client_for: Any) -> None:
    session = make_session()
    submit(session, "Council <minutes>")
    draft(session, "Old words")

    assert title_of(session, client_for(clerk)) == "Council <minutes>"


def test_the_newest_submission_gives_the_title(clerk: Any, client_for: Any) -> None:
    session = make_session()
    submit(session, "Newest", days_ago=1)
    submit(session, "Older", days_ago=5)

    assert title_of(session, client_for(clerk)) == "Newest"


def test_a_session_that_is_not_submitted_has_the_title_of_its_draft(
    clerk: Any, client_for: Any
) -> None:
    session = make_session()
    draft(session, "Harbour\u202eledger")

    assert title_of(session, client_for(clerk)) == "Harbour[U+202E]ledger"


def test_a_session_that_nobody_described_is_untitled(
    clerk: Any, client_for: Any
) -> None:
    assert title_of(make_session(), client_for(clerk)) == "untitled"


def test_titles_take_no_query(clerk: Any, client_for: Any) -> None:
    client, sessions = client_for(clerk), [make_session() for _number in range(9)]
    client.get(LIST)
    with CaptureQueriesContext(connection) as without:
        client.get(LIST)
    for session in sessions:
        submit(session, "Minutes")
        draft(session, "Minutes")

    with CaptureQueriesContext(connection) as with_titles:
        client.get(LIST)

    assert len(with_titles) == len(without)
