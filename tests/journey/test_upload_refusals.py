"""What the upload page offers for a file that was not received, and what it says."""

from typing import Any

import pytest
from django.urls import reverse
from playwright.sync_api import Locator, Page, expect

from portal.models import User
from tests.browsing import PageFor
from tests.make import make_session

pytestmark = pytest.mark.django_db(transaction=True)
MIB = 1 << 20
NO_SCANNER = {"code": "scanner_unavailable", "error": "No scanner.", "hint": "Wait."}
FULL = {"code": "limit_exceeded", "error": "Full.", "hint": "Open another session."}


def payload(name: str, content: bytes = b"alpha") -> Any:
    return {"name": name, "mimeType": "text/plain", "buffer": content}


def choose(page: Page, *names: str) -> None:
    page.locator("#upload-input").set_input_files([payload(name) for name in names])


def refuse(page: Page, status: int, told: dict[str, str] | None) -> None:
    """Let the portal answer every begin so."""
    answer: dict[str, Any] = {"json": told} if told else {"body": "<h1>no</h1>"}
    page.route("**/tus/", lambda route: route.fulfill(status=status, **answer))


def line(page: Page, name: str) -> Locator:
    return page.locator("#upload-list > li", has_text=name)


def offers(line: Locator, *names: str) -> None:
    expect(line.get_by_role("button")).to_have_text(list(names))


@pytest.fixture
def page(page_for: PageFor, uploader: User, settings: Any) -> Page:
    settings.MAX_SINGLE_UPLOAD_SIZE_MB = 1
    page = page_for(uploader)
    page.goto(reverse("upload:upload_page", args=[make_session(user=uploader).uuid]))
    page.locator("#upload-empty").wait_for()
    return page


@pytest.mark.parametrize(
    ("name", "content", "what_to_do"),
    [
        ("a.exe", b"alpha", "Save it as one of the accepted kinds"),
        ("big.txt", b"a" * (MIB + 1), "Divide it and choose the parts"),
        ("a\u200bb.txt", b"alpha", "Rename the file and send it again."),
        ("a.pdf", b"alpha", "Give it the extension it should have"),
    ],
)
def test_what_can_never_be_accepted_is_not_tried_again(
    page: Page, name: str, content: bytes, what_to_do: str
) -> None:
    page.locator("#upload-input").set_input_files([payload(name, content)])

    expect(line(page, "Not received")).to_contain_text(what_to_do)
    offers(line(page, "Not received"), "Remove")


@pytest.mark.parametrize(
    ("status", "told", "offered"),
    [
        (503, NO_SCANNER, ["Try again", "Remove"]),
        (409, FULL, ["Remove"]),
        (418, None, ["Try again", "Remove"]),
        (413, None, ["Remove"]),
    ],
)
def test_trying_again_is_offered_where_it_may_help(
    page: Page, status: int, told: dict[str, str] | None, offered: list[str]
) -> None:
    refuse(page, status, told)

    choose(page, "a.txt")

    offers(line(page, "a.txt"), *offered)


def test_what_the_server_could_not_take_is_taken_another_time(page: Page) -> None:
    refuse(page, 503, NO_SCANNER)
    choose(page, "a.txt", "b.txt", "c.exe", "d.exe")
    expect(page.locator("[data-state=failed]")).to_have_count(4)
    page.unroute("**/tus/")

    page.get_by_role("button", name="Try all again").click()

    expect(page.locator("[data-state=kept]")).to_have_count(2)
    expect(page.locator("[data-state=failed]")).to_have_count(2)
    expect(page.get_by_role("button", name="Try all again")).to_be_hidden()


def test_a_taken_name_is_kept_beside_but_not_tried_again(page: Page) -> None:
    choose(page, "a.txt")
    expect(line(page, "a.txt")).to_contain_text("Received")

    page.locator("#upload-input").set_input_files([payload("a.txt", b"other")])

    offers(line(page, "Not received"), "Keep both", "Remove")


def test_a_file_that_changed_is_chosen_again(page: Page, tmp_path: Any) -> None:
    file = tmp_path / "a.txt"
    file.write_bytes(b"alpha")
    page.route("**/tus/", lambda route: None, times=1)
    page.locator("#upload-input").set_input_files(file)
    page.get_by_role("button", name="Pause: a.txt").click()
    file.write_bytes(b"alpha and omega")

    page.get_by_role("button", name="Resume: a.txt").click()
    offers(line(page, "a.txt"), "Choose again", "Remove")
    page.locator("#upload-input").set_input_files(file)

    expect(line(page, "a.txt")).to_contain_text("15 BReceived")
    expect(page.locator("#upload-list > li")).to_have_count(1)
