"""What a person does on the pages, step by step, by what stands on them.

Each step waits for what shows that it was done. Files are given by name.
"""

import re
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from playwright.sync_api import Error, Page, Response

JOB_MS = 30_000
UNDER_WAY = "#upload-list :is([data-state=waiting], [data-state=sending])"


def sign_in(page: Page, username: str, password: str) -> None:
    """Come to the portal's address and sign in by the form."""
    page.goto("/")
    page.get_by_label("Username").type(username)
    page.get_by_label("Password").type(password)
    page.keyboard.press("Enter")
    page.wait_for_url(re.compile(r"^[^?]*/admin/$"))


def open_list(page: Page) -> None:
    page.get_by_role("link", name="Upload sessions").first.click()
    page.get_by_role("button", name="New session").wait_for()


def open_session(page: Page) -> str:
    """Press *New session*; return the uuid that the upload page shows."""
    open_list(page)
    page.get_by_role("button", name="New session").click()
    return page.locator(".up-facts code").inner_text()


def send(page: Page, files: Mapping[str, bytes]) -> None:
    """Choose the files on the upload page and wait until each is kept or refused."""
    chosen = [
        {"name": name, "mimeType": "", "buffer": content}
        for name, content in files.items()
    ]
    page.locator("#upload-input").set_input_files(chosen)
    for name in files:
        page.locator("#upload-list li", has_text=name).first.wait_for()
    page.wait_for_function(f"!document.querySelector('{UNDER_WAY}')")


def line_of(page: Page, name: str) -> str:
    """Return what the upload page tells of a file."""
    return page.locator("#upload-list li", has_text=name).inner_text()


def show_session(page: Page, uuid: str) -> None:
    open_list(page)
    page.get_by_role("rowheader", name=uuid[:8]).get_by_role("link").click()
    page.locator("#session-uuid", has_text=uuid).wait_for()


def go_back_to_session(page: Page) -> None:
    """Leave the upload page for the page of its session."""
    page.get_by_role("link", name="Back to the session").click()
    page.locator("#session-status").wait_for()


def status(page: Page) -> str:
    return page.locator("#session-status").inner_text().strip().capitalize()


def ask(page: Page, button: str) -> None:
    """Press a verb's button on the session page; its preview is shown after."""
    page.get_by_role("link", name=f"{button}…").click()
    page.locator("#preview-figures").wait_for()


def figure(page: Page, name: str) -> str:
    """Return a figure of the preview by its name, for example ``files``."""
    return page.locator(f"[data-figure={name}]").inner_text()


def confirm(page: Page, button: str, told: str = r"\d+ sessions? queued") -> None:
    """Press the preview's button and wait for the message that counts."""
    page.locator("#preview-form").get_by_role("button", name=button).click()
    page.get_by_text(re.compile(told)).wait_for()


def open_newest_job(page: Page) -> None:
    jobs = page.get_by_role("table", name="Jobs")
    jobs.get_by_role("rowheader").get_by_role("link").first.click()
    page.locator("#job-progress").wait_for()


def watch_job(page: Page) -> None:
    """Stay on the job's page until it says by itself that the job succeeded."""
    page.locator("#job-state", has_text="Succeeded").wait_for(timeout=JOB_MS)
    page.get_by_role("definition").get_by_role("link").first.click()
    page.locator("#session-status").wait_for()


def approve(page: Page) -> None:
    """Approve the removal whose job page is shown."""
    page.get_by_text("Approve the removal…").click()
    page.get_by_role("button", name="Approve the removal").click()
    page.locator("#job-state", has_text="Succeeded").wait_for(timeout=JOB_MS)


def access_url(page: Page, name: str) -> str:
    """Return the access URL beside a file's name on the session page."""
    row = page.get_by_role("row").filter(has_text=name)
    return row.get_by_role("link", name="Open").first.get_attribute("href") or ""


def view(page: Page, url: str) -> Response:
    """Open the address of a file that is shown in the browser."""
    response = page.goto(url)
    assert response is not None
    return response


def download(page: Page, url: str) -> tuple[str, bytes]:
    """Open the address of a file that is saved; return its name and bytes."""
    with page.expect_download() as expected, suppress(Error):
        page.goto(url)  # Playwright tells a download as an error of the navigation
    saved = expected.value
    return saved.suggested_filename, Path(saved.path()).read_bytes()


def export(page: Page, file_format: str) -> bytes:
    """Export what the list shows; return what the browser saved."""
    page.get_by_role("link", name="Export").click()
    page.get_by_label("Format").select_option(label=file_format)
    with page.expect_download() as expected:
        page.get_by_role("button", name="Submit").click()
    return Path(expected.value.path()).read_bytes()


def choose_action(page: Page, action: str, uuids: list[str]) -> None:
    """Choose sessions in the list and run a bulk action; its preview is shown after."""
    for uuid in uuids:
        page.get_by_role("row").filter(has_text=uuid[:8]).get_by_role(
            "checkbox"
        ).check()
    page.locator("select[name=action]").select_option(label=action)
    page.get_by_role("button", name="Run").click()
    page.locator("#preview-figures").wait_for()
