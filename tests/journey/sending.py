"""A sender's browser on a real server, and what that server was sent piece by piece."""

import hashlib
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import Any

from django.conf import settings
from django.urls import reverse
from playwright.sync_api import Browser, BrowserContext, Locator, Page, Response, expect

from portal.models import User
from tests.people import ClientFor
from upload.models import UploadSession

MIB = 1 << 20
WAIT_MS = 30_000
TUS = "/tus/"
NO_KIND = b"\xb5\0" * 4

Send = Callable[..., "Sending"]


@dataclass(frozen=True, slots=True)
class Piece:
    """Bytes that the portal said it keeps: from ``start`` to before ``end``."""

    start: int
    end: int


@dataclass
class Sending:
    """The upload page of one session in one browser."""

    page: Page
    session: UploadSession
    pieces: list[Piece] = field(default_factory=list)

    def watch(self) -> None:
        self.page.on("response", self._note)

    def _note(self, response: Response) -> None:
        request = response.request
        if TUS in request.url and response.status in {201, 204}:
            start = int(request.headers.get("upload-offset", 0))
            end = int(response.headers.get("upload-offset", start))
            if end > start:
                self.pieces.append(Piece(start, end))

    def open(self) -> None:
        self.page.goto(reverse("upload:upload_page", args=[self.session.uuid]))
        expect(self.page.locator("#upload-form")).to_be_visible()

    def choose(self, *paths: Path) -> None:
        self.page.locator("#upload-input").set_input_files(list(paths))

    def choose_folder(self, path: Path) -> None:
        self.page.locator("#upload-folder").set_input_files(path)

    def line(self, name: str) -> Locator:
        return self.page.locator("#upload-list > li", has_text=name)

    def press(self, button: str) -> None:
        self.page.get_by_role("button", name=button, exact=True).click()

    def shows(self, name: str, text: str) -> None:
        expect(self.line(name)).to_contain_text(text, timeout=WAIT_MS)

    def is_under_way(self, name: str) -> None:
        """Return once the portal has kept a part of the file."""
        seen = len(self.pieces)
        self.page.wait_for_event("response", lambda _answer: len(self.pieces) > seen)
        expect(self.line(name)).to_have_attribute("data-state", "sending")

    def slow_down(self, bytes_a_second: int) -> None:
        """Let no more leave the browser; 0 for as quick as it goes."""
        devtools = self.page.context.new_cdp_session(self.page)
        conditions = {"offline": False, "latency": 0, "downloadThroughput": -1}
        conditions["uploadThroughput"] = bytes_a_second or -1
        devtools.send("Network.emulateNetworkConditions", conditions)

    def kept(self) -> dict[str, str]:
        """Return the SHA-256 of each file's bytes on the server, by its path."""
        rows = self.session.tempuploadedfile_set.all()
        return {row.relative_path or row.name: _digest_of(row) for row in rows}


def _digest_of(row: Any) -> str:
    with row.file_upload.open() as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def is_kept_once(pieces: list[Piece], size: int) -> bool:
    """Tell whether pieces follow each other to the end, no byte kept twice."""
    follows = all(a.end <= b.start for a, b in pairwise(pieces))
    return follows and pieces[-1].end == size


def record(folder: Path, name: str, size: int) -> Path:
    """Write a file of random bytes, which begin like no known kind."""
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(NO_KIND + os.urandom(size - len(NO_KIND)))
    return path


@contextmanager
def browsing(
    browser: Browser, address: str, person: User, client_for: ClientFor, **options: Any
) -> Iterator[Page]:
    """Give a signed-in page of the portal at ``address``."""
    with browser.new_context(base_url=address, **options) as context:
        sign_in(context, address, person, client_for)
        context.set_default_timeout(WAIT_MS)
        yield context.new_page()


def sign_in(
    context: BrowserContext, address: str, person: User, client_for: ClientFor
) -> None:
    """Give the browser a new session of the person, as signing in does."""
    name = settings.SESSION_COOKIE_NAME
    cookie = client_for(person).cookies[name].value
    context.add_cookies([{"name": name, "value": cookie, "url": address}])
