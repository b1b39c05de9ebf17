"""A folder of thousands of files on the upload page."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.urls import reverse
from playwright.sync_api import Page, expect

from portal.models import User
from tests.browsing import PageFor
from tests.make import make_session

pytestmark = pytest.mark.django_db(transaction=True)

FILES = 5000
# A page that answers within this is not taken to be frozen, on a busy machine too.
LONGEST_MS = 1000
WATCH = """() => {
    let before = 0;
    window.addEventListener("change", () => {
        window.longest = 0;
        before = performance.now();
    }, true);
    setInterval(() => {
        const now = performance.now();
        window.longest = Math.max(window.longest, now - before);
        before = now;
    }, 10);
}"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for number in range(FILES):
        file = tmp_path / "Box" / f"{number % 50}" / f"{number}.txt"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(b"alpha")
    return tmp_path / "Box"


@pytest.fixture
def page(page_for: PageFor, uploader: User) -> Iterator[Page]:
    """The upload page with a portal that is away: nothing is sent."""
    page = page_for(uploader)
    session = make_session(user=uploader)
    page.goto(reverse("upload:upload_page", args=[session.uuid]))
    page.locator("#upload-empty").wait_for()
    page.route("**/tus/**", lambda route: route.abort())
    yield page


def test_thousands_of_files_do_not_freeze_the_page(page: Page, folder: Path) -> None:
    page.evaluate(WATCH)

    page.locator("#upload-folder").set_input_files(folder)

    total = page.locator("#upload-total-text")
    expect(total).to_contain_text("0 of 5,000 files received", timeout=60_000)
    expect(page.locator("#upload-list > li")).to_have_count(100)
    page.get_by_role("button", name="Show 100 more of 4,900").click()
    expect(page.locator("#upload-list > li")).to_have_count(200)
    assert page.evaluate("window.longest") < LONGEST_MS


def test_what_was_not_begun_is_named_after_a_reload(page: Page, folder: Path) -> None:
    page.locator("#upload-folder").set_input_files(folder)
    total = page.locator("#upload-total-text")
    expect(total).to_contain_text("0 of 5,000 files received", timeout=60_000)
    page.on("dialog", lambda dialog: dialog.accept())

    page.reload()

    rest: Any = page.locator("#upload-rest")
    expect(rest).to_contain_text("had not been sent (5,000): Box.")
