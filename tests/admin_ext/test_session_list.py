"""The session list: columns, filters, search, who sees what, and its cost."""

from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest
from django.contrib import admin
from django.contrib.admin.templatetags import admin_urls
from django.contrib.auth.models import Permission
from django.db import connection
from django.http import QueryDict
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from admin_ext import columns
from tests.make import make_job, make_session, make_user, set_status
from upload.filters import SessionFilter, strict
from upload.models import Job, TempUploadedFile, UploadSession
from upload.states import JobKind, JobState, SessionStatus

pytestmark = pytest.mark.django_db
S = SessionStatus
LIST = "/admin/upload/uploadsession/"
MOST_QUERIES = 15


def shown(client: Client, query: str = "") -> set[Any]:
    """Return the primary keys of the sessions that the list shows."""
    response = client.get(f"{LIST}?{query}")
    assert response.status_code == 200, response
    return {row.pk for row in response.context["cl"].result_list}


def grant(person: Any, *codenames: str) -> Any:
    person.user_permissions.add(*Permission.objects.filter(codename__in=codenames))
    return person


def make_rows(count: int) -> None:
    """Insert bare sessions, each third one with a running job."""
    owner = make_user(f"owner{count}")
    sessions = UploadSession.objects.bulk_create(
        UploadSession(user=owner, status=S.UPLOADING, total_files=3)
        for _number in range(count)
    )
    Job.objects.bulk_create(
        Job(session=s, session_uuid=s.uuid, kind=JobKind.STORE, state=JobState.RUNNING)
        for s in sessions[::3]
    )


def queries_after_adding(count: int, client: Client, query: str = "") -> int:
    make_rows(count)
    with CaptureQueriesContext(connection) as queries:
        assert client.get(f"{LIST}?{query}").status_code == 200
    return len(queries)


def test_a_clerk_sees_every_session_with_its_columns(
    clerk: Any, client_for: Any
) -> None:
    session = make_session(S.UPLOADING, {"a.txt": b"x" * 2000}, make_user("ada"))

    page = client_for(clerk).get(LIST).content.decode()

    assert str(session.uuid) in page
    assert "Uploading" in page and "ada" in page and "2.00" in page


def test_each_checkbox_says_which_session_it_selects(
    clerk: Any, client_for: Any
) -> None:
    session = make_session()

    page = client_for(clerk).get(LIST).content.decode()

    assert f'aria-label="Select session {str(session.uuid)[:8]}"' in page
    assert "Select record" not in page.partition("<tbody")[2]


def test_the_token_is_not_on_the_page(clerk: Any, client_for: Any) -> None:
    session = make_session()

    assert session.token not in client_for(clerk).get(LIST).content.decode()


def test_staff_without_a_right_to_view_get_403(nobody: Any, client_for: Any) -> None:
    assert client_for(nobody).get(LIST).status_code == 403


def test_an_uploader_has_no_admin(uploader: Any, client_for: Any) -> None:
    assert client_for(uploader).get(LIST).status_code == 302


def test_staff_who_may_view_their_own_see_no_others(
    nobody: Any, client_for: Any
) -> None:
    grant(nobody, "view_own_uploadsession")
    mine = make_session(user=nobody)
    make_session(user=make_user("ada"))

    assert shown(client_for(nobody)) == {mine.pk}


@pytest.mark.parametrize(
    "query",
    [
        "status=UG",
        "status=UG&status=CR",
        "status=CR&owner=ada&size_max=5",
        "expiry=expired",
        "expires_within=99999",
        "size_min=3 B",
        "started_after=2001-01-01&started_before=2001-12-31",
        "q=a.txt",
        "q=a.txt&status=SD",
    ],
)
def test_the_list_shows_what_the_filters_find(
    auditor: Any, client_for: Any, query: str
) -> None:
    make_session(S.UPLOADING), make_session(user=make_user("ada"))
    make_session(S.EXPIRED), make_session(S.STORED)

    expected = strict(SessionFilter, QueryDict(query), UploadSession.objects.all())

    assert shown(client_for(auditor), query) == {row.pk for row in expected}


@pytest.mark.parametrize(
    "query",
    ["size_min=lots", "started_after=2026-02-30", "status=XX", "expires_within=a%00"],
)
def test_a_bad_value_is_told_and_does_not_filter_silently(
    clerk: Any, client_for: Any, query: str
) -> None:
    response = client_for(clerk).get(f"{LIST}?{query}", follow=True)

    assert response.redirect_chain == [(f"{LIST}?e=1", 302)]
    assert "was not used" in response.content.decode()


@pytest.mark.parametrize(
    "query",
    [
        "status__x=1",
        "user__password__startswith=a",
        "token__startswith=a",
        "user__is_superuser=1",
        "_connector=OR",
        "created_min=junk",
    ],
)
def test_no_other_lookup_is_allowed(clerk: Any, client_for: Any, query: str) -> None:
    assert client_for(clerk).get(f"{LIST}?{query}").status_code == 400


@pytest.mark.parametrize("search", ["x" * 100_000, "a%00b"])
def test_a_search_that_cannot_be_is_refused_in_words(
    clerk: Any, client_for: Any, search: str
) -> None:
    make_session()
    response = client_for(clerk).get(f"{LIST}?q={search}")

    assert response.status_code == 200
    assert [str(m) for m in response.context["messages"]]


@pytest.mark.parametrize("number", ["-1", "0", "1000000000", "junk"])
def test_a_page_that_is_none_shows_the_first(
    clerk: Any, client_for: Any, number: str
) -> None:
    session = make_session()

    assert shown(client_for(clerk), f"p={number}&status=CR") == {session.pk}


def test_a_row_leads_to_its_session_and_back_to_the_list(
    clerk: Any, client_for: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing is asked of the URL configuration for it, once a link."""
    session = make_session()

    def refuse(address: str) -> None:
        raise AssertionError(f"{address} is looked up")

    monkeypatch.setattr(admin_urls, "resolve", refuse)
    page = client_for(clerk).get(LIST, {"status": "CR", "q": str(session.uuid)})
    filters = urlencode({"status": "CR", "q": session.uuid})
    kept = urlencode({"_changelist_filters": filters})
    assert f'href="{LIST}{session.pk}/change/?{kept}"' in page.content.decode()


@pytest.mark.parametrize("column", [1, *range(3, 10)])
def test_every_column_but_title_and_job_sorts(
    clerk: Any, client_for: Any, column: int
) -> None:
    first, second = make_session(), make_session()

    assert shown(client_for(clerk), f"o=-{column}") == {first.pk, second.pk}


@pytest.mark.parametrize("per_page", [50, 100])
def test_queries_do_not_grow_with_rows(
    clerk: Any, client_for: Any, monkeypatch: Any, per_page: int
) -> None:
    model_admin = admin.site.get_model_admin(UploadSession)
    monkeypatch.setattr(model_admin, "list_per_page", per_page)
    client = client_for(clerk)

    few = queries_after_adding(110, client)
    many = queries_after_adding(300, client)

    assert few == many <= MOST_QUERIES


def test_ten_thousand_sessions_take_no_more_queries_than_two_pages(
    clerk: Any, client_for: Any
) -> None:
    client = client_for(clerk)

    few = queries_after_adding(110, client, "q=owner&status=UG")
    many = queries_after_adding(9_890, client, "q=owner&status=UG")

    assert many <= few <= MOST_QUERIES


def test_the_list_asks_no_storage(
    clerk: Any, client_for: Any, storages_in_tmp: Path
) -> None:
    """A storage that was asked would fail: there is none any more."""
    session = make_session(S.UPLOADING)
    (storages_in_tmp / "temp").rename(storages_in_tmp / "gone")
    (storages_in_tmp / "temp").write_text("a file where a folder is expected")

    assert shown(client_for(clerk)) == {session.pk}
    assert TempUploadedFile.objects.count() == 2


def test_a_running_job_shows_its_progress(clerk: Any, client_for: Any) -> None:
    session = make_session(S.UPLOADING)
    make_job(
        session, JobKind.STORE, state=JobState.RUNNING, bytes_total=200, bytes_done=50
    )

    page = client_for(clerk).get(LIST).content.decode()

    assert "<progress" in page and 'value="25"' in page


def test_names_are_shown_as_text(clerk: Any, client_for: Any) -> None:
    make_session(user=make_user("<img src=x>"))

    page = client_for(clerk).get(LIST).content.decode()

    assert "<img src=x>" not in page
    assert "&lt;img src=x&gt;" in page


@pytest.mark.parametrize("status", list(S))
def test_every_status_has_a_badge(status: SessionStatus) -> None:
    session = UploadSession(status=status)

    assert str(status.label) in columns.status_badge(session)


@pytest.mark.parametrize(
    ("minutes", "kind", "text"),
    [(1, "later", "in 23"), (1300, "soon", "in 2"), (2880, "expired", "1\xa0day ago")],
)
def test_expiry_is_told_relative_to_now(minutes: int, kind: str, text: str) -> None:
    session = make_session()
    at = timezone.now() - timedelta(minutes=minutes)
    session.last_upload_interaction_time = at

    found_kind, found_text = columns.expiry_words(session)

    assert found_kind == kind
    assert text in found_text


def test_stored_sessions_never_expire_and_early_ends_are_told_plainly() -> None:
    stored, early = make_session(), make_session(S.EXPIRED)
    set_status(stored, S.STORED)

    assert columns.expiry_words(stored) == ("never", "never")
    assert columns.expiry_words(early) == ("expired", "expired")


@pytest.mark.parametrize("path", ["add/", "1/delete/"])
def test_sessions_are_neither_added_nor_deleted_here(
    superuser: Any, client_for: Any, path: str
) -> None:
    session = make_session()
    url = LIST + path.replace("1", str(session.pk))

    assert client_for(superuser).post(url, {"post": "yes"}).status_code == 403
    assert UploadSession.objects.filter(pk=session.pk).exists()
