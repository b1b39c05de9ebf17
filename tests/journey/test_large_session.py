"""The upload page of a session that holds thousands of files already."""

import hashlib
from pathlib import Path
from typing import Any

import pytest
from django.urls import reverse
from playwright.sync_api import Page, Response, expect

from portal.models import User
from tests.browsing import PageFor
from tests.make import make_session, set_status
from upload.models import TempUploadedFile, UploadSession
from upload.states import SessionStatus

pytestmark = pytest.mark.django_db(transaction=True)
FILES = 5000
LEFT = FILES - 100
BYTES = b"alpha"


def path_of(number: int) -> str:
    return f"Box/{number}.txt" if number % 2 else ""


@pytest.fixture
def session(uploader: User) -> UploadSession:
    """A session of rows without bytes, each second one of a folder."""
    session = make_session(user=uploader)
    sha256 = hashlib.sha256(BYTES).hexdigest()
    TempUploadedFile.objects.bulk_create(
        TempUploadedFile(
            session=session,
            name=f"{number}.txt",
            original_name=f"{number}.txt",
            relative_path=path_of(number),
            size=len(BYTES),
            sha256=sha256,
        )
        for number in range(FILES)
    )
    set_status(session, SessionStatus.UPLOADING)
    UploadSession.objects.filter(pk=session.pk).update(
        total_files=FILES, total_size_bytes=FILES * len(BYTES)
    )
    return session


@pytest.fixture
def page(page_for: PageFor, uploader: User, session: UploadSession) -> Page:
    page = page_for(uploader)
    page.goto(reverse("upload:upload_page", args=[session.uuid]))
    expect(page.locator("#upload-list > li")).to_have_count(100)
    return page


def payload(name: str, content: bytes = BYTES) -> Any:
    return {"name": name, "mimeType": "text/plain", "buffer": content}


def test_the_page_fetches_a_part_of_a_large_session(
    page_for: PageFor, uploader: User, session: UploadSession
) -> None:
    answers: list[Response] = []
    page = page_for(uploader)
    page.on("response", lambda answer: answers.append(answer))

    page.goto(reverse("upload:upload_page", args=[session.uuid]))
    page.get_by_role("button", name=f"Show 100 more of {LEFT:,}").wait_for()

    listed = [one for one in answers if "/files/" in one.url or "/tus/" in one.url]
    assert len(listed) == 2
    assert sum(len(one.body()) for one in listed) < 100_000


def test_more_of_a_large_session_is_fetched_when_asked_for(page: Page) -> None:
    page.get_by_role("button", name=f"Show 100 more of {LEFT:,}").click()
    page.get_by_role("button", name=f"Show 100 more of {LEFT - 100:,}").press("Enter")

    expect(page.locator("#upload-list > li")).to_have_count(300)
    expect(page.locator("#upload-list > li").last).to_contain_text("299.txt")


def test_what_is_removed_moves_no_file_out_of_the_list(page: Page) -> None:
    page.get_by_role("button", name="Remove: 0.txt", exact=True).click()
    expect(page.locator("#upload-list > li")).to_have_count(99)

    page.get_by_role("button", name=f"Show 100 more of {LEFT:,}").click()

    expect(page.locator("#upload-list > li")).to_have_count(200)
    expect(page.locator("#upload-list > li").nth(99)).to_contain_text("100.txt")


def test_a_file_that_is_not_listed_is_known_all_the_same(
    page: Page, session: UploadSession
) -> None:
    page.locator("#upload-input").set_input_files(
        [payload("4998.txt"), payload("4996.txt", b"other"), payload("new.txt")]
    )

    rest, total = page.locator("#upload-rest"), page.locator("#upload-total-text")
    expect(rest).to_have_text("Already here, so not sent again: 1.")
    expect(total).to_contain_text("2 of 3 files received")
    refused = page.locator("[data-state=failed]")
    expect(refused).to_contain_text("The session already has a file of this name.")
    assert session.tempuploadedfile_set.count() == FILES + 1


def test_a_folder_that_is_not_listed_is_not_sent_twice(
    page: Page, session: UploadSession, tmp_path: Path
) -> None:
    for number in range(4001, 4601, 2):
        file = tmp_path / path_of(number)
        file.parent.mkdir(exist_ok=True)
        file.write_bytes(BYTES)
    (tmp_path / "Box/new.txt").write_bytes(BYTES)

    page.locator("#upload-folder").set_input_files(tmp_path / "Box")

    total = page.locator("#upload-total-text")
    expect(total).to_have_text("301 of 301 files received, 100%", timeout=20_000)
    rest = page.locator("#upload-rest")
    expect(rest).to_have_text("Already here, so not sent again: 300.")
    assert session.tempuploadedfile_set.count() == FILES + 1


def test_a_browser_of_2023_knows_what_is_there(
    page_for: PageFor, uploader: User, session: UploadSession
) -> None:
    page = page_for(uploader)
    page.add_init_script("delete Map.groupBy")
    page.goto(reverse("upload:upload_page", args=[session.uuid]))

    page.locator("#upload-input").set_input_files(payload("4998.txt"))

    expect(page.locator("#upload-total-text")).to_contain_text("1 of 1 file received")
    rest = page.locator("#upload-rest")
    expect(rest).to_have_text("Already here, so not sent again: 1.")
