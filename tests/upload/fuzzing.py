"""Requests of every kind at our endpoints, and what must hold of each answer.

Made from the OpenAPI description, then spoiled: odd names, broken bodies, forged
headers, junk in queries, other people's things. The seed makes a run again.
"""

import json
import random
import sys
from collections import Counter
from dataclasses import dataclass, field
from http.cookies import SimpleCookie
from io import BytesIO
from typing import Any
from urllib.parse import quote

from django.test import Client
from django.urls import reverse

from tests.make import make_session
from tests.upload.fuzzing_tus import TusFuzz, partials_of_rows
from tests.upload.http import MULTIPART, body_of, field_part, file_part, stored_files
from upload import openapi
from upload.models import TempUploadedFile, UploadSession
from upload.states import SessionStatus

TEXTS = [
    *("", "a.txt", "../../x.txt", "CON.txt", "a\x00b.txt", "a\u202eb.txt", "é.txt"),
    *("%2e%2e%2f", "=1+1", "'; DROP TABLE x;--", "{{7*7}}", "{0.__class__}", "%s%n"),
    *("<img onerror=x>", "a" * 300 + ".txt", "𝒳" * 70 + ".txt", "e\u0301.txt"),
    *("-1", "0", "99999999999999999999", "1e999", "NaN", "²", "null", "true", "UG"),
    *("2026-13-45", "0000-00-00", "//evil.example", "\r\nX: y", "\x1b[31m", "\ufeff"),
]
CONTENTS = [
    *(b"", b"alpha", b"%PDF-1.4\n", bytes(5000)),
    *(b"GIF89a" + bytes(40), b"MZ" + bytes(90)),
]
HEADERS: list[tuple[str, list[str]]] = [
    ("HTTP_RANGE", ["bytes=0-1", "bytes=9-1", "bytes=-", "bytes=" + "9" * 400, "x"]),
    ("HTTP_IF_NONE_MATCH", ["*", '"a"', 'W/"', "é", '"' * 300]),
    ("HTTP_IF_MODIFIED_SINCE", ["yesterday", "Thu, 01 Jan 1970 00:00:00 GMT", "\x00"]),
    ("HTTP_AUTHORIZATION", ["Bearer", "Bearer é", "Bearer " + "a" * 5000, "Basic x"]),
    ("HTTP_ACCEPT", ["application/json", "*/*", "text/html", "\x00"]),
    ("HTTP_CONTENT_ENCODING", ["gzip", "identity", "é"]),
    ("HTTP_COOKIE", ["sessionid=\x00", "a" * 9000, "csrftoken=;"]),
    ("HTTP_ACCEPT_LANGUAGE", ["ja", "xx-XX;q=z", "fr" * 200]),
    ("HTTP_X_FORWARDED_HOST", ["evil.example"]),
    ("CONTENT_LENGTH", ["", "-1", "ten", "9" * 30, "0", "3"]),
    ("CONTENT_TYPE", ["text/plain", MULTIPART, "multipart/form-data", "é", ""]),
]
PAGES = ("own_session", "describe", "reuse_description", "submit", "upload_page")


class Sent(BytesIO):
    """A body as a server gives it: shorter than its header says, it just ends.

    The test client's own fails instead, which no server does.
    """

    def read(self, size: int | None = -1) -> bytes:
        return super().read(self._within(size))

    def readline(self, size: int | None = -1) -> bytes:
        return super().readline(self._within(size))

    def _within(self, size: int | None) -> int | None:
        return size if size is None else min(size, sys.maxsize)


@dataclass
class Fuzz:
    """Sends requests as several people, and counts what it was told was kept."""

    seed: int
    clients: list[Client]
    sessions: list[UploadSession]
    owners: dict[Any, int]  # the number of a person's client
    statuses: Counter[int] = field(default_factory=Counter)
    kept: int = 0
    removed: int = 0
    faults: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.random = random.Random(self.seed)
        self.before = TempUploadedFile.objects.count()
        self.tus = TusFuzz(self.random, TEXTS)
        self.cookies = [
            {name: one.value for name, one in client.cookies.items()}
            for client in self.clients
        ]
        paths = openapi.document()["paths"].items()
        self.documented = [(path, told) for path, told in paths if "/tus/" not in path]

    def send(self) -> None:
        """Send one request and note what is wrong with its answer."""
        if self.random.random() < 0.3:
            session = self._session()
            method, url, response = self.tus.send(self._client(session), session)
            self._judge(method, url, response, response.content)
            return
        session = self._session()
        method, path, query = self._address(session)
        body, kind = self._body() if method == "POST" else (b"", "")
        extra = self._headers()
        client = self._client(session)
        url = f"{path}?{query}" if query else path
        extra["wsgi.input"] = Sent(body)
        response = client.generic(method, url, body, kind, **extra)
        content = response.getvalue() if response.streaming else response.content
        self._judge(method, url, response, content)

    def _judge(self, method: str, url: str, response: Any, content: bytes) -> None:
        status = response.status_code
        self.statuses[status] += 1
        if status >= 500:
            self.faults.append(f"seed {self.seed}: {method} {url[:300]!r}: {status}")
        if any(session.token.encode() in content for session in self.sessions):
            self.faults.append(f"{method} {url[:300]!r} told a token")
        if method == "POST" and url.partition("?")[0].endswith("/files/"):
            self._count(status, content)
        is_file = "/tus/" not in url
        self.removed += is_file and method == "DELETE" and status == 204

    def _count(self, status: int, content: bytes) -> None:
        told = json.loads(content)
        if status != 201 and not (told["code"] and told["error"] and told["hint"]):
            self.faults.append(f"a refusal without its words: {content[:300]!r}")
        self.kept += told.get("kept", 0)

    def _client(self, session: UploadSession) -> Client:
        """Return its owner or anybody, signed in as at the start.

        An odd cookie signs one out.
        """
        number = self.random.randrange(len(self.clients))
        if self.random.random() < 0.6:
            number = self.owners[session.user_id]
        self.clients[number].cookies = SimpleCookie(self.cookies[number])
        return self.clients[number]

    def _session(self) -> UploadSession:
        return self.random.choice(self.sessions)

    def _address(self, session: UploadSession) -> tuple[str, str, str]:
        r = self.random
        file = session.tempuploadedfile_set.order_by("?").first()
        if r.random() < 0.15:
            path = reverse(f"upload:{r.choice(PAGES)}", args=[session.uuid])
            return r.choice(["GET", "POST"]), path, self._query(["page"])
        path, methods = r.choice(self.documented)
        path = (
            path.replace("/files/{uuid}/", "/files/{file}/") if path[1] == "f" else path
        )
        path = path.format(uuid=session.uuid, file=file.uuid if file else session.uuid)
        method = r.choice([*methods, "post", "put"] if r.random() < 0.1 else [*methods])
        if r.random() < 0.05:
            path = path[: r.randrange(len(path))] + quote(r.choice(TEXTS))
        return method.upper(), path if path.startswith("/") else "/", self._query([])

    def _query(self, names: list[str]) -> str:
        r = self.random
        if r.random() < 0.5:
            return ""
        sessions = self.documented[0][1]["get"]["parameters"]
        known = [one["name"] for one in sessions] + names + ["status__x"]
        pairs = [(r.choice(known), r.choice(TEXTS)) for _n in range(r.randint(1, 3))]
        return "&".join(f"{name}={quote(text)}" for name, text in pairs)

    def _headers(self) -> dict[str, Any]:
        r = self.random
        chosen = r.sample(HEADERS, r.choice([0, 0, 0, 1, 2]))
        return {name: r.choice(values) for name, values in chosen}

    def _body(self) -> tuple[bytes, str]:
        r = self.random
        parts = [self._file_part() for _n in range(r.choice([0, 1, 1, 1, 2, 5]))]
        for name in ("sha256", "relative_path", "numbered", "title", "complete"):
            if r.random() < 0.15:
                text = r.choice([*TEXTS, "0" * 64, "box/a.txt", "1"])
                parts.append(field_part(name, text.encode()))
        r.shuffle(parts)
        body = body_of(*parts)
        if r.random() < 0.2:
            cut = r.randrange(len(body))
            body = body[:cut] + r.randbytes(r.choice([0, 1, 50])) + body[cut + 1 :]
        return body, MULTIPART

    def _file_part(self) -> bytes:
        r = self.random
        good = f"{r.randrange(10**9)}.txt"
        name = good if r.random() < 0.5 else r.choice(TEXTS)
        content = b"alpha" if r.random() < 0.5 else r.choice(CONTENTS)
        return file_part(name, content)

    def conclude(self) -> list[str]:
        """Return every fault: of answers, and of what is stored by them."""
        rows = list(TempUploadedFile.objects.all())
        kept = self.kept + self.tus.kept
        if len(rows) != self.before + kept - self.removed:
            self.faults.append(
                f"{len(rows)} rows, but {self.before} + {kept} - {self.removed}"
            )
        bytes_there = {path.name for path in stored_files("temp")}
        if bytes_there != {row.uuid.hex for row in rows} | partials_of_rows():
            self.faults.append("bytes and rows differ")
        return self.faults + self.tus.faults()


def prepared(seed: int, people: list[Any], sessions_each: int = 3) -> Fuzz:
    """Return a fuzz with sessions of each person, and a stranger among the senders."""
    clients = [Client(raise_request_exception=False) for _person in [None, *people]]
    for client, person in zip(clients[1:], people, strict=True):
        client.force_login(person)
    sessions = [
        make_session(status, user=person)
        for person in people
        for status in (SessionStatus.UPLOADING, SessionStatus.CREATED)[:sessions_each]
    ]
    owners = {person.pk: number for number, person in enumerate(people, 1)}
    return Fuzz(seed, clients, sessions, owners)
