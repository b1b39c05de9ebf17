"""Pages far behind are the same, read from the front or from the end."""

from typing import Any

import pytest
from django.contrib import admin
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from admin_ext import session_list
from tests.make import make_session, make_user
from upload.models import UploadSession
from upload.states import SessionStatus as S

pytestmark = pytest.mark.django_db
LIST = "/admin/upload/uploadsession/"
COUNT, A_PAGE = 9, 2
PAGES = range(1, COUNT // A_PAGE + 3)  # one more than there are


@pytest.fixture
def client(clerk: Any, client_for: Any, monkeypatch: pytest.MonkeyPatch) -> Client:
    monkeypatch.setattr(admin.site._registry[UploadSession], "list_per_page", A_PAGE)
    owners = [None, make_user("ada"), make_user("ben")]
    for number in range(COUNT):
        status = [S.UPLOADING, S.CREATED][number % 2]
        make_session(status, user=owners[number % 3])
    found: Client = client_for(clerk)
    return found


def pages(client: Client, query: str) -> list[list[Any]]:
    answers = [client.get(f"{LIST}?{query}&p={page}") for page in PAGES]
    return [[row.pk for row in a.context["cl"].result_list] for a in answers]


@pytest.mark.parametrize("query", ["", "o=1", "o=-3", "o=4", "o=-4", "o=6", "o=-7"])
def test_each_page_is_the_same_from_the_end(
    query: str, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    from_the_front = pages(client, query)
    monkeypatch.setattr(session_list, "FAR", 0)
    monkeypatch.setattr(session_list, "NEAR_THE_END", 0)

    assert pages(client, query) == from_the_front
    assert sum(map(len, from_the_front[:-1])) == COUNT


@pytest.mark.parametrize(
    ("query", "from_the_end"), [("p=5", True), ("p=2", False), ("p=2&status=UG", False)]
)
def test_only_the_last_pages_of_all_sessions_are_read_from_the_end(
    query: str, from_the_end: bool, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(session_list, "FAR", 0)
    # Keys of other tests' rows are not given again, so the highest one is any number.
    highest = UploadSession.objects.latest("pk").pk
    monkeypatch.setattr(session_list, "NEAR_THE_END", COUNT / 2 / highest)
    with CaptureQueriesContext(connection) as queries:
        client.get(f"{LIST}?{query}")
    counts = [q["sql"] for q in queries if q["sql"].startswith("SELECT COUNT(*)")]
    plain = 'FROM "upload_uploadsession"'
    assert any(sql.endswith(plain) for sql in counts) is from_the_end
