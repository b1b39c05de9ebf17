"""The upload page's figures and buttons for all files at once."""

from typing import Any

import pytest
from django.urls import reverse
from playwright.sync_api import Locator, Page, Route, expect

from portal.models import User
from tests.browsing import PageFor
from tests.make import make_session
from upload.states import SessionStatus

pytestmark = pytest.mark.django_db(transaction=True)
ALL_BUTTONS = ("Pause all", "Resume all")


def payload(name: str, content: bytes = b"alpha") -> Any:
    return {"name": name, "mimeType": "text/plain", "buffer": content}


def choose(page: Page, *names: str) -> None:
    page.locator("#upload-input").set_input_files([payload(name) for name in names])


def hang(route: Route) -> None:
    """Leave a request without an answer."""


def button(page: Page, name: str) -> Locator:
    return page.get_by_role("button", name=name, exact=True)


def offers(page: Page, *names: str) -> None:
    """Expect these of the buttons for all files, and no other."""
    for name in ALL_BUTTONS:
        expect(button(page, name)).to_be_visible(visible=name in names)


def total_is(page: Page, text: str) -> None:
    expect(page.locator("#upload-total-text")).to_have_text(text)


@pytest.fixture
def page(page_for: PageFor, uploader: User) -> Page:
    page = page_for(uploader)
    page.goto(reverse("upload:upload_page", args=[make_session(user=uploader).uuid]))
    page.locator("#upload-empty").wait_for()
    return page


def test_nothing_is_paused_or_resumed_once_all_is_settled(page: Page) -> None:
    choose(page, "a.exe", "b.exe", "c.txt")

    expect(page.locator("[data-state=kept]")).to_have_count(1)
    expect(button(page, "Take what was not received off the list")).to_be_visible()
    offers(page)


def test_what_runs_is_paused_and_what_is_paused_resumed(page: Page) -> None:
    page.route("**/tus/", hang)
    choose(page, "a.txt", "b.txt")
    offers(page, "Pause all")

    button(page, "Pause: a.txt").click()
    offers(page, "Pause all", "Resume all")
    button(page, "Pause: b.txt").click()
    offers(page, "Resume all")
    page.unroute("**/tus/")
    button(page, "Resume all").click()

    expect(page.locator("[data-state=kept]")).to_have_count(2)
    offers(page)


def test_the_keyboard_stays_at_the_buttons_for_all_files(page: Page) -> None:
    page.route("**/tus/", hang)
    choose(page, "a.txt", "b.txt")

    button(page, "Pause all").press("Enter")
    expect(button(page, "Resume all")).to_be_focused()
    offers(page, "Resume all")
    page.keyboard.press("Enter")

    expect(button(page, "Pause all")).to_be_focused()
    offers(page, "Pause all")


def test_all_files_chosen_on_the_page_are_counted(page: Page) -> None:
    choose(page, "a.txt", "b.txt")
    total_is(page, "2 of 2 files received, 100%")

    choose(page, "c.txt")
    total_is(page, "3 of 3 files received, 100%")
    choose(page, "c.txt", "d.exe")

    total_is(page, "3 of 4 files received, 100%")


def test_what_was_here_before_counts_once_it_is_chosen(
    page_for: PageFor, uploader: User
) -> None:
    files = {"a.txt": b"alpha", "b.txt": b"alpha"}
    session = make_session(SessionStatus.UPLOADING, files, user=uploader)
    page = page_for(uploader)
    page.goto(reverse("upload:upload_page", args=[session.uuid]))

    choose(page, "a.txt", "b.txt", "c.txt")

    total_is(page, "3 of 3 files received, 100%")
    expect(page.locator("#upload-rest")).to_contain_text("not sent again: 2.")


@pytest.mark.parametrize(
    ("locale", "one", "two"),
    [
        ("en", "1 of 1 file received, 100%", "2 of 2 files received, 100%"),
        ("fr", "Fichier reçu : 1 ", "Fichiers reçus : 2 "),
        ("ja", "1 件中 1 件を受領、100%", "2 件中 2 件を受領、100%"),
    ],
)
def test_one_file_is_counted_in_the_singular(
    page_for: PageFor, uploader: User, locale: str, one: str, two: str
) -> None:
    page = page_for(uploader, locale=locale)
    page.goto(reverse("upload:upload_page", args=[make_session(user=uploader).uuid]))
    total = page.locator("#upload-total-text")

    choose(page, "a.txt")
    expect(total).to_contain_text(one)
    choose(page, "b.txt")

    expect(total).to_contain_text(two)
