"""A sender's own pages in Chromium: no barriers, narrow screens, the keyboard."""

from typing import Any

import pytest
from django.urls import reverse
from playwright.sync_api import expect

from portal.models import User
from tests.browsing import PageFor
from tests.journey.test_accessibility import barriers
from tests.make import aged, make_session
from upload.models import Submission, UploadSession
from upload.states import SessionStatus
from upload.submitting import Description, describe

pytestmark = pytest.mark.django_db(transaction=True)
LONG = "Protokoll" * 20


@pytest.fixture
def session(uploader: User) -> UploadSession:
    """A session that expires soon, with a long name and a description."""
    files = {f"{LONG}.txt": b"alpha", "議事録.txt": b"beta"}
    session = make_session(SessionStatus.UPLOADING, files, user=uploader)
    describe(session, uploader, Description(LONG))
    return aged(session, 1000)


def pages_of(session: UploadSession) -> list[str]:
    return [
        reverse("upload:own_sessions"),
        reverse("upload:own_session", args=[session.uuid]),
    ]


@pytest.mark.parametrize("locale", ["en", "fr", "ja"])
def test_own_pages_have_no_known_barrier_and_fit_a_telephone(
    session: UploadSession, uploader: User, page_for: PageFor, locale: str
) -> None:
    page = page_for(uploader, locale=locale, viewport={"width": 390, "height": 800})

    for path in pages_of(session):
        page.goto(path)
        assert barriers(page) == []
        width = page.evaluate("document.documentElement.scrollWidth")
        assert width <= 390


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_session_that_lacks_its_description_has_no_known_barrier(
    uploader: User, page_for: PageFor, scheme: Any
) -> None:
    session = make_session(SessionStatus.UPLOADING, {"a.txt": b"a"}, user=uploader)
    page = page_for(
        uploader, color_scheme=scheme, viewport={"width": 390, "height": 800}
    )

    page.goto(pages_of(session)[1])

    button = page.get_by_role("button", name="Submit", exact=True)
    hint = "Only the description is missing: write it above and save it."
    expect(button).to_have_accessible_description(hint)
    assert barriers(page) == []


def test_a_refused_form_has_no_known_barrier(
    session: UploadSession, uploader: User, page_for: PageFor
) -> None:
    page = page_for(uploader)
    page.goto(pages_of(session)[1])

    page.locator("#own-description input[name=title]").fill(" ")
    page.locator("#own-description button").click()

    page.locator(".errorlist").wait_for()
    assert page.locator("input[aria-invalid=true]").count() == 1


def test_a_sender_describes_and_submits_by_the_keyboard(
    uploader: User, page_for: PageFor
) -> None:
    session = make_session(SessionStatus.UPLOADING, user=uploader)
    page: Any = page_for(uploader)
    page.goto(pages_of(session)[1])

    page.get_by_label("Title").focus()
    page.keyboard.type("Minutes 1998")
    page.keyboard.press("Enter")
    page.locator("#own-submit input[type=checkbox]").focus()
    page.keyboard.press("Space")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")

    page.locator("#own-submitted").wait_for()
    assert Submission.objects.get().title == "Minutes 1998"
