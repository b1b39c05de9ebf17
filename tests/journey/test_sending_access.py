"""The upload page in use: no known barrier, the keyboard alone, what is read out."""

from collections.abc import Callable
from typing import Any

import pytest
from django.urls import reverse
from playwright.sync_api import Page, Route, expect

from portal.models import User
from tests.browsing import PageFor
from tests.journey.test_accessibility import barriers_as_shown
from tests.journey.test_keyboard import press
from tests.make import make_session
from upload.intake import Sender
from upload.models import UploadSession
from upload.resumable import Announced, begin
from upload.states import SessionStatus

pytestmark = pytest.mark.django_db(transaction=True)
TELEPHONE = {"width": 390, "height": 800}


@pytest.fixture
def session(clerk: User, uploader: User) -> UploadSession:
    """A session with a file, and with an upload that was begun."""
    session = make_session(SessionStatus.UPLOADING, {"a.txt": b"a"}, user=uploader)
    begun = Announced("Minutes of the harbour board.txt", 1000)
    begin(session, begun, Sender(uploader))
    return session


def payload(name: str, content: bytes = b"alpha") -> Any:
    return {"name": name, "mimeType": "text/plain", "buffer": content}


def show(page: Page, session: UploadSession, deed: Callable[[Route], None]) -> None:
    """Open the page with files in many states; ``deed`` meets each begin."""
    page.goto(reverse("upload:upload_page", args=[session.uuid]))
    page.locator("[data-state=unfinished]").wait_for()
    page.route("**/tus/", deed)
    refused = [payload("program.exe"), payload("a.txt", b"other")]
    page.locator("#upload-input").set_input_files([*refused, payload("b.txt")])
    expect(page.locator("[data-state=failed]")).to_have_count(2)


def hang(route: Route) -> None:
    """Leave a request without an answer."""


@pytest.mark.parametrize("locale", ["en", "fr", "ja"])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_page_in_use_has_no_known_barrier_and_fits_a_telephone(
    session: UploadSession, uploader: User, page_for: PageFor, locale: str, scheme: Any
) -> None:
    page = page_for(uploader, locale=locale, viewport=TELEPHONE, color_scheme=scheme)

    show(page, session, lambda route: route.abort())

    expect(page.locator("#upload-banner")).to_be_visible()
    assert barriers_as_shown(page) == []
    assert page.evaluate("document.documentElement.scrollWidth") <= TELEPHONE["width"]


def test_staff_have_no_known_barrier(
    session: UploadSession, clerk: User, page_for: PageFor
) -> None:
    page = page_for(clerk, color_scheme="dark")

    show(page, session, hang)

    assert barriers_as_shown(page) == []


def test_a_file_is_paused_resumed_and_removed_by_the_keyboard(
    uploader: User, page_for: PageFor
) -> None:
    page = page_for(uploader)
    session = make_session(user=uploader)
    page.goto(reverse("upload:upload_page", args=[session.uuid]))
    page.route("**/tus/", hang)
    with page.expect_file_chooser() as chooser:
        press(page, "Choose files")
    chooser.value.set_files(payload("letter.txt"))

    press(page, "Pause: letter.txt")
    expect(page.get_by_role("button", name="Resume: letter.txt")).to_be_focused()
    page.unroute("**/tus/")
    page.keyboard.press("Enter")
    expect(page.get_by_role("button", name="Remove: letter.txt")).to_be_focused()
    page.keyboard.press("Enter")

    expect(page.locator("#upload-input")).to_be_focused()
    expect(page.locator("#upload-list > li")).to_have_count(0)
    assert not session.tempuploadedfile_set.exists()


def test_many_refusals_are_read_out_as_one(uploader: User, page_for: PageFor) -> None:
    page = page_for(uploader)
    session = make_session(user=uploader)
    page.goto(reverse("upload:upload_page", args=[session.uuid]))
    page.evaluate(
        """() => {
            window.heard = [];
            const live = document.querySelector("#upload-live");
            new MutationObserver(() => window.heard.push(live.textContent))
                .observe(live, {childList: true});
        }"""
    )

    page.locator("#upload-input").set_input_files(
        [payload(f"{number}.exe") for number in range(30)]
    )

    end = "Files received: 0. Not received: 30."
    expect(page.locator("#upload-live")).to_have_text(end)
    assert len(page.evaluate("window.heard")) <= 3
