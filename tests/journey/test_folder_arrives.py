"""A folder of hundreds of small files goes through the upload page, end to end."""

import hashlib
from pathlib import Path

import pytest
from django.urls import reverse
from playwright.sync_api import expect

from portal.models import User
from tests.browsing import PageFor
from tests.journey.test_many_files import LONGEST_MS, WATCH
from tests.make import make_session

pytestmark = pytest.mark.django_db(transaction=True)
FILES = 300
KIB = 1 << 10


@pytest.fixture
def expected(tmp_path: Path) -> dict[str, str]:
    """Make the folder; return the SHA-256 of each file by its path."""
    made = {}
    for number in range(FILES):
        path = f"Box/{number % 20}/{number // 20}.txt"
        content = f"{number:05} ".encode().ljust(10 * KIB, b"a")
        file = tmp_path / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content)
        made[path] = hashlib.sha256(content).hexdigest()
    return made


def test_hundreds_of_small_files_arrive_while_the_page_answers(
    page_for: PageFor, uploader: User, tmp_path: Path, expected: dict[str, str]
) -> None:
    session = make_session(user=uploader)
    page = page_for(uploader)
    page.goto(reverse("upload:upload_page", args=[session.uuid]))
    page.locator("#upload-empty").wait_for()
    page.evaluate(WATCH)

    page.locator("#upload-folder").set_input_files(tmp_path / "Box")

    total, whole = page.locator("#upload-total-text"), "300 of 300 files received, 100%"
    expect(total).to_have_text(whole, timeout=120_000)
    kept = session.tempuploadedfile_set.values_list("relative_path", "sha256")
    assert dict(kept) == expected
    assert page.evaluate("window.longest") < LONGEST_MS
