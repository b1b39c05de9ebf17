"""Above and inside the session list: tabs, chips, the files of an opened row."""

from typing import Any

import pytest
from django.contrib import admin
from django.urls import reverse

from admin_ext import session_list
from portal.models import User
from tests.browsing import PageFor
from tests.make import aged, make_session, make_user, set_status
from upload.models import UploadSession
from upload.states import SessionStatus

pytestmark = pytest.mark.django_db
S = SessionStatus
LIST = "/admin/upload/uploadsession/"


def test_each_tab_counts_what_it_lists(clerk: Any, client_for: Any) -> None:
    make_session(user=clerk), aged(make_session(S.UPLOADING), 1300)
    make_session(S.STORED), set_status(make_session(S.UPLOADING), S.COPYING_FAILED)
    client = client_for(clerk)

    tabs = client.get(LIST).context["session_tabs"]

    assert [tab.count for tab in tabs] == ["4", "2", "1", "1", "1", "1"]
    for tab in tabs:
        page = client.get(f"{LIST}?{tab.query}").context
        assert str(page["cl"].result_count) == tab.count
        current = [t.label for t in page["session_tabs"] if t.is_current]
        assert current == [tab.label]


def test_each_filter_in_use_is_a_chip_that_takes_it_away(
    clerk: Any, client_for: Any
) -> None:
    query = "status=UG&status=SD&started_after=2026-01-31&owner=ada&p=2&o=2"

    chips = client_for(clerk).get(f"{LIST}?{query}").context["session_chips"]

    assert [chip.value for chip in chips] == [
        *("Stored", "Uploading", "ada", "Jan. 31, 2026")
    ]
    assert chips[0].url == "?status=UG&started_after=2026-01-31&owner=ada&o=2"


def test_a_chip_shows_its_value_as_text(clerk: Any, client_for: Any) -> None:
    page = client_for(clerk).get(f"{LIST}?q=<img src=x>").content.decode()

    assert "<img src=x>" not in page


def test_counts_are_of_what_one_may_see(nobody: Any, client_for: Any) -> None:
    from tests.admin_ext.test_session_list import grant

    grant(nobody, "view_own_uploadsession")
    make_session(user=nobody), make_session(user=make_user("ada"))

    tabs = client_for(nobody).get(LIST).context["session_tabs"]

    assert tabs[0].count == "1"


def test_a_count_stops_and_says_so(
    clerk: Any, client_for: Any, monkeypatch: Any
) -> None:
    monkeypatch.setattr(session_list, "MOST_COUNTED", 60)
    for _number in range(120):
        make_session()

    page = client_for(clerk).get(LIST)

    assert page.context["cl"].count_text == "more than 60 upload sessions"
    last = client_for(clerk).get(f"{LIST}?p=3").context["cl"]
    assert (len(last.result_list), last.count_text) == (20, "120 upload sessions")


def test_an_opened_row_gives_its_first_files(clerk: Any, client_for: Any) -> None:
    files = {f"{number:02}.txt": b"x" for number in range(12)}
    session = make_session(S.UPLOADING, files)
    url = reverse("admin:upload_uploadsession_glance", args=[session.pk])

    page = client_for(clerk).get(url).content.decode()

    assert "00.txt" in page and "09.txt" in page and "10.txt" not in page
    assert "And 2 more." in page


def test_the_files_of_others_sessions_stay_hidden(nobody: Any, client_for: Any) -> None:
    session = make_session(S.UPLOADING)
    url = reverse("admin:upload_uploadsession_glance", args=[session.pk])

    assert client_for(nobody).get(url).status_code in {403, 404}


@pytest.mark.django_db(transaction=True)
def test_a_row_opens_without_leaving_the_list(clerk: User, page_for: PageFor) -> None:
    make_session(S.UPLOADING, {"minutes.txt": b"x"})
    page = page_for(clerk)
    page.goto(LIST)

    page.locator("#result_list tbody .cursor-pointer").first.click()

    page.locator("#result_list", has_text="minutes.txt").wait_for()
    assert page.url.endswith(LIST)


@pytest.mark.django_db(transaction=True)
def test_a_row_opens_and_closes_by_keyboard(clerk: User, page_for: PageFor) -> None:
    session = make_session(S.UPLOADING, {"minutes.txt": b"x"})
    page = page_for(clerk)
    page.goto(LIST)
    name = f"First files of session {str(session.uuid)[:8]}"
    arrow = page.get_by_role("button", name=name, expanded=False)

    arrow.press("Enter")

    page.locator("#result_list", has_text="minutes.txt").wait_for()
    page.get_by_role("button", name=name, expanded=True).press(" ")
    arrow.wait_for()


@pytest.mark.parametrize("direction", ["", "-"])
def test_sorting_by_owner_is_the_same_by_its_shortcut(
    clerk: Any, client_for: Any, monkeypatch: Any, direction: str
) -> None:
    people = [make_user(name) for name in ("zoe", "ada", "per")]
    for number in range(9):
        make_session(user=[*people, None][number % 4])
    client, url = client_for(clerk), f"{LIST}?o={direction}4"
    monkeypatch.setattr(admin.site.get_model_admin(UploadSession), "list_per_page", 2)

    quick = [row.pk for row in client.get(url).context["cl"].result_list]
    monkeypatch.setattr(session_list, "FIRST_OWNERS", ())
    slow = [row.pk for row in client.get(url).context["cl"].result_list]

    assert quick == slow
