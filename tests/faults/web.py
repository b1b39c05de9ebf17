"""The portal's web server in a world of its own, asked over plain HTTP."""

import http.client
import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

from tests.faults.contents import NEW_NAME
from tests.faults.databases import Row
from tests.faults.world import Portal, World
from tests.journey import programs

COOKIE = "cookie.txt"
CSRF = "c" * 32
SESSIONS = "/admin/upload/uploadsession/"
SENT_TYPE = "text/plain"
BOUNDARY = "a-boundary"


@dataclass(frozen=True)
class Answer:
    status: int
    headers: Mapping[str, str] = field(repr=False)
    body: bytes = field(repr=False)

    @property
    def asks_to_come_back(self) -> bool:
        return self.status == 503 and self.headers.get("Retry-After") == "5"

    def json(self) -> Any:
        return json.loads(self.body)


@dataclass(frozen=True)
class Site:
    """The web server of a world that holds one session with files."""

    world: World
    address: str

    def session(self) -> Row:
        return self.world.database.rows("upload_uploadsession")[0]

    def ask(self, method: str, path: str, body: Any = None, **headers: str) -> Answer:
        """Send one request as the superuser who is signed in."""
        cookie = (self.world.root / COOKIE).read_text()
        sent = {"Cookie": f"sessionid={cookie}; csrftoken={CSRF}"} | headers
        connection = http.client.HTTPConnection(
            urlsplit(self.address).netloc, timeout=60
        )
        try:
            connection.request(method, path, body, sent)
            got = connection.getresponse()
            return Answer(got.status, dict(got.headers), got.read())
        finally:
            connection.close()

    def send_file(self, token: str, path: str, name: str = "new.txt") -> Answer:
        """Send one file by the session's token."""
        parts = (
            f"--{BOUNDARY}\r\n",
            f'Content-Disposition: form-data; name="file"; filename="{name}"\r\n\r\n',
            f"alpha\r\n--{BOUNDARY}--\r\n",
        )
        return self.ask(
            "POST",
            path,
            "".join(parts).encode(),
            **{
                "Authorization": f"Bearer {token}",
                "Content-Type": f"multipart/form-data; boundary={BOUNDARY}",
            },
        )

    def store(self) -> Answer:
        """Confirm a store of the session in the admin."""
        body = f"csrfmiddlewaretoken={CSRF}&action=store_sessions&confirm=1"
        body += f"&_selected_action={self.session()['id']}"
        kind = "application/x-www-form-urlencoded"
        return self.ask("POST", SESSIONS, body, **{"Content-Type": kind})


def files_url(session: Row) -> str:
    return f"/upload-session/{UUID(session['uuid'])}/files/"


def doors(site: Site) -> list[str]:
    """Return the address of each kind of page that asks the database."""
    session = site.session()
    files = site.world.database.rows("upload_tempuploadedfile")
    file = next(row for row in files if row["name"] == NEW_NAME)
    return [
        "/admin/",
        SESSIONS,
        f"{SESSIONS}{session['id']}/change/",
        "/admin/upload/job/",
        "/upload-session/",
        files_url(session),
        f"/files/{UUID(file['uuid'])}/",
        "/healthz",
    ]


@contextmanager
def open_site(world: World) -> Iterator[Site]:
    """Serve a world, into whose session files were uploaded, until the block ends."""
    with Portal(world) as portal:
        portal.run("upload")
        portal.run("prepare for web")
    log = world.root / "web.log"
    with programs.web_server(world.environment(), log) as address:
        yield Site(world, address)
