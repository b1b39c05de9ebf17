"""The pages people work on can be worked by the keyboard alone."""

import pytest
from django.urls import reverse
from playwright.sync_api import Page

from portal.models import User
from tests.browsing import PageFor
from tests.make import make_session
from upload.states import SessionStatus

pytestmark = pytest.mark.django_db(transaction=True)

MOST_TABS = 80
SMALL = {"name": "letter.txt", "mimeType": "", "buffer": b"Dear sir,"}


def tab_to(page: Page, words: str) -> None:
    """Press Tab until something of that role and name has the focus."""
    for _ in range(MOST_TABS):
        page.keyboard.press("Tab")
        focused = page.locator(":focus")
        if focused.count() and words in focused.aria_snapshot():
            return
    pytest.fail(f"No Tab reaches {words!r} on {page.url}.")


def press(page: Page, words: str) -> None:
    tab_to(page, words)
    page.keyboard.press("Enter")


def test_files_are_sent_stored_and_the_job_cancelled_without_a_mouse(
    clerk: User, page_for: PageFor
) -> None:
    session, page = make_session(SessionStatus.UPLOADING, user=clerk), page_for(clerk)

    page.goto(reverse("upload:upload_page", args=[session.uuid]))
    with page.expect_file_chooser() as chooser:
        press(page, "Choose files")
    chooser.value.set_files(SMALL)
    press(page, "Remove: letter.txt")
    page.get_by_text("letter.txt was removed.").wait_for(state="attached")

    press(page, "Back to the session")
    press(page, "Store…")
    press(page, 'button "inventory_2 Store"')
    press(page, "Open the job")
    press(page, "Cancel the job")

    page.locator("#job-state", has_text="Cancelled").wait_for()
