"""tus requests of every kind, and what was begun, kept and ended by their answers."""

import hashlib
import random
from dataclasses import dataclass, field
from typing import Any

from django.test import Client
from django.urls import reverse

from tests.upload.tus_requests import PIECE, b64, metadata, tus_url
from upload.models import UnfinishedUpload, UploadSession

JUNK = ["", "-1", "x", "9" * 30, "1.5", "é", "\x00", "²"]
METADATA = ["", ",", "filename", "filename ?", "a YQ==,a YQ==", "é é", "f " * 9000]
METHODS = [*("POST",) * 4, *("PATCH",) * 5, "HEAD", "DELETE", "OPTIONS", "GET"]


@dataclass
class TusFuzz:
    """Makes requests, and believes no more than their answers.

    ``lengths`` are the lengths announced, by the address of what was begun; ``known``
    every address ever told.
    """

    random: random.Random
    texts: list[str]
    lengths: dict[str, int] = field(default_factory=dict)
    known: set[str] = field(default_factory=set)
    kept: int = 0

    def send(self, client: Client, session: UploadSession) -> tuple[str, str, Any]:
        """Send one request; return its method, address and answer."""
        r = self.random
        method = r.choice(METHODS)
        url, length = tus_url(session), r.choice([0, 1, 5, 10, 5000])
        if method in {"PATCH", "HEAD", "DELETE"} or r.random() < 0.1:
            url = self._address(session)
            length = self.lengths.get(url, 5)
        headers = self._headers(client, url, length)
        body = r.choice(
            [b"", b"alpha", b"MZ" + bytes(8), bytes(length), r.randbytes(5)]
        )
        if method in {"HEAD", "DELETE", "OPTIONS", "GET"}:
            body = b""
        self._add_checksum(headers, body)
        kind = PIECE if r.random() < 0.9 else r.choice(["text/plain", ""])
        if method == "POST" and not body:
            kind = ""
        answer = client.generic(method, url, body, kind, **headers)
        self._note(method, url, answer, length)
        return method, url, answer

    def _address(self, session: UploadSession) -> str:
        r = self.random
        mine = [url for url in self.lengths if str(session.uuid) in url]
        if mine and r.random() < 0.9:
            return r.choice(mine)
        return reverse("upload:tus_upload", args=[session.uuid, session.uuid])

    def _headers(self, client: Client, url: str, length: int) -> dict[str, str]:
        r = self.random
        good = f"{r.randrange(10**9)}.txt"
        told = metadata(filename=good if r.random() < 0.7 else r.choice(self.texts))
        if r.random() < 0.2:
            extra = {r.choice(["sha256", "relative_path", "numbered"]): "a/b"}
            told += "," + metadata(**extra)
        offset = 0
        if r.random() < 0.7:  # the true one, as a client that has asked
            asked = client.head(url, HTTP_TUS_RESUMABLE="1.0.0")
            offset = int(asked.headers.get("Upload-Offset", 0))
        headers = {
            "HTTP_TUS_RESUMABLE": "1.0.0",
            "HTTP_UPLOAD_LENGTH": str(length),
            "HTTP_UPLOAD_METADATA": told,
            "HTTP_UPLOAD_OFFSET": str(offset),
        }
        if r.random() < 0.2:
            name = r.choice([*headers])
            headers[name] = r.choice(METADATA if "METADATA" in name else JUNK)
        if r.random() < 0.1:
            del headers[r.choice([*headers])]
        if r.random() < 0.05:
            headers["HTTP_X_HTTP_METHOD_OVERRIDE"] = r.choice(
                ["PATCH", "DELETE", "PUT"]
            )
        if r.random() < 0.05:
            headers["HTTP_UPLOAD_CONCAT"] = r.choice(["partial", f"final;{url}"])
        return headers

    def _add_checksum(self, headers: dict[str, str], body: bytes) -> None:
        r = self.random
        if r.random() < 0.2:
            right = "sha1 " + b64(hashlib.sha1(body).digest())  # noqa: S324
            headers["HTTP_UPLOAD_CHECKSUM"] = r.choice(
                [right, right[:-4] + "AAA=", "crc32 AAAA", "sha1", "sha1 é", *JUNK]
            )

    def _note(self, method: str, url: str, answer: Any, length: int) -> None:
        """Count what an answer says was begun or is whole; forget what has gone."""
        status = answer.status_code
        if status == 201 and "Location" in answer.headers:
            url = answer.headers["Location"]
            self.lengths[url] = length
            self.known.add(url)
        if status in {201, 204} and answer.headers.get("Upload-Offset") == str(
            self.lengths.get(url)
        ):
            self.kept += 1
            del self.lengths[url]
        if status == 404 and method == "HEAD":
            self.lengths.pop(url, None)

    def faults(self) -> list[str]:
        """Return which uploads are there that nobody was told of."""
        there = UnfinishedUpload.objects.select_related("session")
        told = {
            reverse("upload:tus_upload", args=[one.session.uuid, one.uuid])
            for one in there
        }
        return [f"{url} was begun, and refused" for url in sorted(told - self.known)]


def partials_of_rows() -> set[str]:
    """Return the names of the partials that unfinished uploads must have."""
    rows = UnfinishedUpload.objects.filter(finished_at=None)
    return {f"tus-{row.uuid.hex}.partial" for row in rows}
