"""Senders at the upload page in Chromium, against a real server that is also killed."""

import os
import signal
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from django.contrib.sessions.models import Session
from playwright.sync_api import Browser, expect

from portal.models import User
from tests.journey.programs import wait_until, web_process
from tests.journey.sending import (
    MIB,
    WAIT_MS,
    Sending,
    browsing,
    digest,
    is_kept_once,
    record,
    sign_in,
)
from tests.make import make_session
from tests.people import ClientFor
from upload.models import UnfinishedUpload

pytestmark = pytest.mark.django_db(transaction=True)
SLOW = 2 * MIB


class Server:
    """The portal's web server, at one address for the whole test."""

    def __init__(self, environment: dict[str, str], folder: Path) -> None:
        self.environment, self.folder = environment, folder
        self.stack, self.address = ExitStack(), ""
        self.start()

    def start(self) -> None:
        port = urlsplit(self.address).port or 0
        log = self.folder / "web.log"
        started = web_process(self.environment, log, port)
        self.address, self.process = self.stack.enter_context(started)

    def kill(self) -> None:
        os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()


@pytest.fixture
def server(
    program_environment: dict[str, str], static_folder: Path, tmp_path: Path
) -> Iterator[Server]:
    environment = program_environment | {
        "DATA_DIR": str(static_folder),
        "ACCEPTED_FILE_FORMATS": "Record:rec;Text:txt",
        "MAX_SINGLE_UPLOAD_SIZE_MB": "64",
    }
    server = Server(environment, tmp_path)
    with server.stack:
        yield server


@pytest.fixture
def sending(
    server: Server, browser: Browser, uploader: User, client_for: ClientFor
) -> Iterator[Sending]:
    with browsing(browser, server.address, uploader, client_for) as page:
        sending = Sending(page, make_session(user=uploader))
        sending.watch()
        sending.open()
        yield sending


@pytest.fixture
def large(tmp_path: Path) -> Path:
    return record(tmp_path, "large.rec", 8 * MIB)


def folder_of(tmp_path: Path) -> dict[str, str]:
    """Make a folder in which a name stands twice; return its digests by path."""
    paths = ("Box/1/letter.rec", "Box/2/letter.rec", "Box/2/deep/議事録.rec")
    made = {path: record(tmp_path, path, 1000) for path in paths}
    return {path: digest(file) for path, file in made.items()}


def test_a_chosen_folder_keeps_its_structure(sending: Sending, tmp_path: Path) -> None:
    expected = folder_of(tmp_path)

    sending.choose_folder(tmp_path / "Box")

    for path in expected:
        sending.shows(path, "Received")
    assert sending.kept() == expected


def test_a_dropped_folder_keeps_its_structure(sending: Sending, tmp_path: Path) -> None:
    expected = folder_of(tmp_path)

    drop(sending, tmp_path / "Box")

    for path in expected:
        sending.shows(path, "Received")
    assert sending.kept() == expected


def drop(sending: Sending, path: Path) -> None:
    """Drop a file or folder as the system would, with its entries."""
    box = sending.page.locator("#upload-form").bounding_box()
    assert box is not None
    devtools = sending.page.context.new_cdp_session(sending.page)
    for kind in ("dragEnter", "dragOver", "drop"):
        event: dict[str, Any] = {
            "type": kind,
            "x": box["x"] + 20,
            "y": box["y"] + 20,
            "data": {"items": [], "files": [str(path)], "dragOperationsMask": 1},
        }
        devtools.send("Input.dispatchDragEvent", event)


def test_a_paused_file_goes_on_where_it_stopped(sending: Sending, large: Path) -> None:
    sending.slow_down(SLOW)
    sending.choose(large)
    sending.is_under_way("large.rec")

    sending.press("Pause: large.rec")
    sending.shows("large.rec", "Paused")
    expect(sending.line("large.rec")).to_contain_text("% sent")
    sending.slow_down(0)
    sending.press("Resume: large.rec")

    sending.shows("large.rec", "Received")
    assert sending.kept() == {"large.rec": digest(large)}
    assert is_kept_once(sending.pieces, large.stat().st_size)


def test_all_is_paused_and_resumed_at_once(sending: Sending, tmp_path: Path) -> None:
    files = [record(tmp_path, f"{number}.rec", 3 * MIB) for number in range(5)]
    sending.slow_down(SLOW)
    sending.choose(*files)
    sending.is_under_way("0.rec")

    sending.press("Pause all")
    expect(sending.page.locator("[data-state=sending]")).to_have_count(0)
    sending.slow_down(0)
    sending.press("Resume all")

    for file in files:
        sending.shows(file.name, "Received")
    assert sending.kept() == {file.name: digest(file) for file in files}


def test_after_a_reload_the_same_file_goes_on_at_the_offset(
    sending: Sending, large: Path
) -> None:
    sending.slow_down(SLOW)
    sending.choose(large)
    sending.is_under_way("large.rec")
    sending.page.on("dialog", lambda dialog: dialog.accept())

    sending.page.reload()
    sending.shows("large.rec", "Choose the same file again to go on.")
    before = list(sending.pieces)
    sending.slow_down(0)
    sending.choose(large)

    sending.shows("large.rec", "Received")
    assert sending.pieces[len(before)].start >= before[-1].end > 0
    assert is_kept_once(sending.pieces, large.stat().st_size)
    assert sending.kept() == {"large.rec": digest(large)}


def test_after_a_reload_what_is_there_is_not_sent_twice(
    sending: Sending, tmp_path: Path
) -> None:
    folder_of(tmp_path)
    sending.choose_folder(tmp_path / "Box")
    sending.shows("議事録.rec", "Received")
    expect(sending.page.locator("[data-state=kept]")).to_have_count(3)
    record(tmp_path, "Box/3/new.rec", 10)
    sending.open()
    sending.pieces.clear()

    sending.choose_folder(tmp_path / "Box")

    sending.shows("new.rec", "Received")
    told = sending.page.get_by_text("Already here, so not sent again: 3.")
    expect(told).to_be_visible()
    assert [piece.end for piece in sending.pieces] == [10]


def test_a_changed_file_does_not_go_on_with_the_bytes_of_the_old(
    sending: Sending, large: Path
) -> None:
    sending.slow_down(SLOW)
    sending.choose(large)
    sending.is_under_way("large.rec")
    sending.press("Pause: large.rec")
    sending.open()
    sending.shows("large.rec", "Choose the same file again")

    record(large.parent, "large.rec", large.stat().st_size)
    sending.slow_down(0)
    sending.choose(large)

    sending.page.locator("[data-state=kept]").wait_for()
    assert sending.kept() == {"large.rec": digest(large)}


def test_sending_outlives_a_killed_server(
    sending: Sending, server: Server, large: Path
) -> None:
    sending.slow_down(SLOW)
    sending.choose(large)
    sending.is_under_way("large.rec")

    server.kill()
    sending.shows("large.rec", "Waiting for the connection")
    server.start()

    sending.slow_down(0)
    sending.shows("large.rec", "Received")
    assert sending.kept() == {"large.rec": digest(large)}
    assert is_kept_once(sending.pieces, large.stat().st_size)


def test_sending_waits_while_the_browser_is_offline(
    sending: Sending, large: Path
) -> None:
    sending.slow_down(SLOW)
    sending.choose(large)
    sending.is_under_way("large.rec")

    sending.page.context.set_offline(True)
    sending.shows("large.rec", "Waiting for the connection")
    expect(sending.page.locator("#upload-banner")).to_contain_text("connection is lost")
    sending.page.context.set_offline(False)

    sending.shows("large.rec", "Received")
    assert sending.kept() == {"large.rec": digest(large)}


def test_a_sender_who_was_signed_out_goes_on_after_signing_in(
    sending: Sending, server: Server, large: Path, uploader: User, client_for: ClientFor
) -> None:
    sending.slow_down(SLOW)
    sending.choose(large)
    sending.is_under_way("large.rec")
    sending.press("Pause: large.rec")

    Session.objects.all().delete()
    sending.press("Resume: large.rec")
    banner = sending.page.locator("#upload-banner")
    expect(banner).to_contain_text("Nobody is signed in. Sign in", timeout=WAIT_MS)
    sign_in(sending.page.context, server.address, uploader, client_for)
    sending.slow_down(0)
    sending.press("Resume all")

    sending.shows("large.rec", "Received")
    expect(banner).to_be_hidden()
    assert is_kept_once(sending.pieces, large.stat().st_size)


def test_an_answer_that_was_lost_makes_no_second_file(
    sending: Sending, tmp_path: Path
) -> None:
    small = record(tmp_path, "small.rec", 1000)

    def lose(route: Any) -> None:
        route.fetch()
        route.abort()

    sending.page.route("**/tus/", lose, times=1)
    sending.choose(small)

    sending.shows("small.rec", "Received")
    assert sending.kept() == {"small.rec": digest(small)}


def test_what_is_removed_on_its_way_is_gone_from_the_portal(
    sending: Sending, large: Path
) -> None:
    sending.slow_down(SLOW)
    sending.choose(large)
    sending.is_under_way("large.rec")

    sending.press("Remove: large.rec")

    expect(sending.line("large.rec")).to_have_count(0)
    assert not UnfinishedUpload.objects.exists()
    assert sending.kept() == {}


def test_what_is_removed_before_its_answer_came_is_gone_as_well(
    sending: Sending, tmp_path: Path
) -> None:
    hanging = []

    def take_and_hang(route: Any) -> None:
        route.fetch()
        hanging.append(route)

    sending.page.route("**/tus/", take_and_hang, times=1)
    sending.choose(record(tmp_path, "small.rec", 1000))
    wait_until(lambda: sending.page.wait_for_timeout(1) or hanging, 20, "An upload")

    sending.press("Remove: small.rec")

    expect(sending.line("small.rec")).to_have_count(0)
    assert sending.kept() == {}


def test_each_refusal_says_why(sending: Sending, tmp_path: Path) -> None:
    files = [
        record(tmp_path, "program.exe", 10),
        record(tmp_path, "too large.rec", 64 * MIB + 1),
        record(tmp_path, "a\u200bb.rec", 10),
    ]

    sending.choose(*files)
    sending.shows("program.exe", "This kind of file is not accepted.")
    sending.shows("too large.rec", "The file is larger than 64 MB.")
    sending.shows("b.rec", "invisible or direction-changing character, U+200B")
    sending.press("Take what was not received off the list")

    expect(sending.page.locator("#upload-empty")).to_be_visible()


def test_a_taken_name_is_refused_or_kept_beside(
    sending: Sending, tmp_path: Path
) -> None:
    first, second = (record(tmp_path, f"{n}/a.rec", 100) for n in (1, 2))
    sending.choose(first)
    sending.shows("a.rec", "Received")

    sending.choose(second)
    sending.shows("Not received", "The session already has a file of this name.")
    sending.press("Keep both: a.rec")

    sending.shows("a (2).rec", "Received")
    assert sending.kept() == {"a.rec": digest(first), "a (2).rec": digest(second)}
