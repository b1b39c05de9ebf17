"""Records staff at work in Chromium, against real server and worker processes."""

import csv
import io
import time
from collections.abc import Callable
from pathlib import Path

import openpyxl
import pytest
from playwright.sync_api import Page

from fixtures import samples
from portal.models import User
from tests.journey import steps
from tests.journey.conftest import SignIn
from tests.make import make_destination, make_session
from upload.models import Job
from upload.states import JobKind, SessionStatus

pytestmark = pytest.mark.django_db(transaction=True)

FILES = {
    "Minutes 1931.pdf": samples.pdf("Minutes 1931"),
    "Harbour.png": samples.png(),
    "議事録 昭和六年.docx": samples.docx("議事録", "昭和六年三月三日"),
    "Chant de l'été.wav": samples.wav(30),
}
REFUSED = "program.exe"


@pytest.fixture
def archive(storages_in_tmp: Path) -> Path:
    folder = storages_in_tmp / "destinations" / "archive"
    make_destination(folder, "Archive room")
    return folder


def test_a_clerk_receives_keeps_copies_and_removes_files(
    sign_in: SignIn, archive: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    clerk = sign_in("clerk", "Records staff")

    uuid = receives_files(clerk)
    seconds = stores_them(clerk)
    copies_them(clerk, archive)
    opens_them(clerk)
    exports_the_list(clerk, uuid)
    removes_them(clerk, uuid, lambda: sign_in("manager", "Managers"))

    with capsys.disabled():
        print(f"Click on Store to the job running: {seconds:.2f} s")  # noqa: T201
    assert seconds < 10


def receives_files(page: Page) -> str:
    uuid = steps.open_session(page)
    steps.send(page, {**FILES, REFUSED: b"MZ"})

    assert all("Received" in steps.line_of(page, name) for name in FILES)
    assert "This kind of file is not accepted" in steps.line_of(page, REFUSED)
    return uuid


def stores_them(page: Page) -> float:
    """Return the seconds from the click that confirms to the start of the job."""
    steps.go_back_to_session(page)
    steps.ask(page, "Store")
    assert steps.figure(page, "files") == str(len(FILES))
    clicked_at = time.time()
    steps.confirm(page, "Store")
    steps.open_newest_job(page)
    steps.watch_job(page)

    assert steps.status(page) == "Stored"
    started_at = Job.objects.get(kind=JobKind.STORE).started_at
    assert started_at is not None
    return started_at.timestamp() - clicked_at


def copies_them(page: Page, folder: Path) -> None:
    steps.ask(page, "Copy to a destination")
    page.get_by_label("Destination").select_option(label=f"Archive room ({folder})")
    steps.confirm(page, "Copy to a destination")
    steps.open_newest_job(page)
    steps.watch_job(page)

    assert steps.status(page) == "Stored"
    copied = {path.name: path.read_bytes() for path in folder.rglob("*.*")}
    assert FILES.items() <= copied.items()


def opens_them(page: Page) -> None:
    url = steps.access_url(page, "議事録")
    assert steps.download(page, url) == (
        "議事録 昭和六年.docx",
        FILES["議事録 昭和六年.docx"],
    )
    shown = steps.view(page, steps.access_url(page, "Harbour.png"))
    assert shown.body() == FILES["Harbour.png"]
    assert shown.headers["content-type"] == "image/png"
    assert shown.headers["x-content-type-options"] == "nosniff"
    assert "sandbox" in shown.headers["content-security-policy"]
    page.go_back()


def exports_the_list(page: Page, uuid: str) -> None:
    steps.open_list(page)
    text = steps.export(page, "csv").decode("utf-8-sig")
    steps.open_list(page)
    book = openpyxl.load_workbook(io.BytesIO(steps.export(page, "xlsx")))

    (row,) = csv.DictReader(text.splitlines())
    assert (row["UUID"], row["Status"]) == (uuid, "Stored")
    assert row["Files"] == str(len(FILES))
    assert [cells[0] for cells in book.worksheets[0].values] == ["UUID", uuid]


def removes_them(page: Page, uuid: str, sign_in_manager: Callable[[], Page]) -> None:
    steps.show_session(page, uuid)
    steps.ask(page, "Remove files")
    page.get_by_label("Reason").fill("Transferred to the national archives.")
    steps.confirm(page, "Remove files", "1 removal waits until a second person")
    steps.open_newest_job(page)
    page.locator("#job-state", has_text="Awaiting approval").wait_for()
    manager = sign_in_manager()
    manager.goto(page.url)
    steps.approve(manager)
    steps.watch_job(page)

    assert steps.status(page) == "Created"
    assert page.locator("#session-files").inner_text() == "0"


def test_two_sessions_are_stored_by_one_action_of_the_list(sign_in: SignIn) -> None:
    page = sign_in("clerk", "Records staff")
    owner = User.objects.get(username="clerk")
    sessions = [make_session(SessionStatus.UPLOADING, user=owner) for _ in range(2)]

    steps.open_list(page)
    steps.choose_action(page, "Store", [str(session.uuid) for session in sessions])
    assert steps.figure(page, "sessions") == "2"
    steps.confirm(page, "Store")

    for session in sessions:
        steps.show_session(page, str(session.uuid))
        steps.open_newest_job(page)
        steps.watch_job(page)
        assert steps.status(page) == "Stored"
