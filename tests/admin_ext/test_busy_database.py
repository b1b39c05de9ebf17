"""A database that is busy is told to staff, and is no error of the portal."""

import pytest

from portal.models import User
from tests.admin_ext.choosing import LIST, confirm, texts
from tests.make import make_session
from tests.people import ClientFor
from tests.upload.http import database_locked
from upload.models import Job
from upload.states import SessionStatus

S = SessionStatus
pytestmark = pytest.mark.django_db


def test_a_page_that_the_database_fails_asks_to_come_back(
    client_for: ClientFor, clerk: User
) -> None:
    client = client_for(clerk)

    with database_locked('SELECT "upload_uploadsession"'):
        response = client.get(LIST)

    assert (response.status_code, response["Retry-After"]) == (503, "5")


def test_a_bulk_action_that_the_database_fails_names_what_was_not_done(
    client_for: ClientFor, clerk: User
) -> None:
    client, sessions = client_for(clerk), [make_session(S.UPLOADING) for _ in range(2)]

    with database_locked('INSERT INTO "upload_job"'):
        response = confirm(client, "store_sessions", *sessions)

    assert "2 sessions failed." in texts(response)
    assert all(str(session.uuid) in texts(response) for session in sessions)
    assert not Job.objects.exists()


@pytest.mark.parametrize(
    "query", ["sessionevent/?outcome__exact=%00", "submission/?title=%00"]
)
def test_a_filter_that_the_database_cannot_hold_is_no_error_of_the_portal(
    client_for: ClientFor, clerk: User, query: str
) -> None:
    """SQLite finds nothing by it, PostgreSQL refuses it."""
    response = client_for(clerk).get(f"/admin/upload/{query}")

    assert response.status_code in {200, 400}
