"""CouchDB over plain HTTP: one document a file, its bytes an attachment of it.

A file is sent under an own name, its length and MD5 are compared, and then it is copied
by the server to its name, which answers 409 where that is taken: PouchDB's server keeps
what came before a connection broke.
"""

import hashlib
import json
import ssl
from base64 import b64encode
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from http.client import HTTPConnection, HTTPException, HTTPResponse, HTTPSConnection
from mimetypes import guess_type
from typing import Any
from urllib.parse import quote, unquote, urlencode, urlsplit

from django.core.exceptions import ImproperlyConfigured
from django.core.files.base import File
from django.utils.deconstruct import deconstructible
from django.utils.translation import gettext as _

from upload.copy_engine import CHUNK_BYTES
from upload.durable import occupied
from upload.queued_storage.remotes.base import (
    AddressedStorage,
    Facts,
    require_size,
    split_names,
)
from upload.targets.base import new_staging_name, refused, unreachable

ANSWER_SECONDS = 40.0
# Names that begin with "_" are CouchDB's own.
LEAD = "file-"
ESCAPE = "!"
ATTACHMENT = "content"
SAVED_AT = "saved_at"
JSON = "application/json"
UNKNOWN_TYPE = "application/octet-stream"
NOT_FOUND, CONFLICT, BAD_REQUEST = 404, 409, 400
NOT_ALLOWED = {401, 403}
PAGE = 500


@deconstructible
class CouchDBStorage(AddressedStorage):
    """The files of one database; ``server_url`` has neither it nor a login."""

    verifies_writes = True

    def __init__(
        self,
        *,
        server_url: str,
        database: str,
        username: str = "",
        password: str = "",
        base_url: str | None = None,
    ) -> None:
        self.base_url = base_url
        server = urlsplit(server_url)
        if server.scheme not in {"http", "https"} or server.username or server.password:
            raise ImproperlyConfigured(
                _(
                    "server_url must be http:// or https:// without a login, as in "
                    "https://couch.example.org:6984; give username and password apart."
                )
            )
        self._server = server
        self._lead = f"{server.path.rstrip('/')}/{quote(database, safe='')}"
        self.place = f"{server.scheme}://{server.netloc}{self._lead}"
        login = b64encode(f"{username}:{password}".encode()).decode()
        self._headers = {"Authorization": f"Basic {login}"} if username else {}

    @contextmanager
    def _answer(
        self, method: str, path: str, body: Any = None, **headers: str
    ) -> Iterator[HTTPResponse]:
        """Yield an answer that is no error, and close its connection."""
        connection = self._connection()
        try:
            connection.request(
                method,
                self._lead + path,
                body,
                self._headers | {k.replace("_", "-"): v for k, v in headers.items()},
                encode_chunked="Transfer_Encoding" in headers,
            )
            answer = connection.getresponse()
            self._bear(answer.status, path)
            yield answer
        except HTTPException as error:
            raise unreachable(self.place, type(error).__name__) from error
        finally:
            connection.close()

    def _connection(self) -> HTTPConnection:
        host, port = self._server.hostname or "", self._server.port
        if self._server.scheme == "http":
            return HTTPConnection(host, port, timeout=ANSWER_SECONDS)
        context = ssl.create_default_context()
        return HTTPSConnection(host, port, timeout=ANSWER_SECONDS, context=context)

    def _bear(self, status: int, path: str) -> None:
        if status < BAD_REQUEST:
            return
        if status == NOT_FOUND:
            raise FileNotFoundError(f"{self.place}: {path}")
        if status == CONFLICT:
            raise occupied(path)
        words = _("the server answered %(status)d %(code)s")
        reason = words % {"status": status, "code": ""}
        if status in NOT_ALLOWED:
            raise PermissionError(str(refused(self.place, reason.rstrip())))
        raise unreachable(self.place, reason.rstrip())

    def _ask(self, method: str, path: str, **headers: str) -> Any:
        with self._answer(method, path, **headers) as answer:
            return json.loads(answer.read() or b"{}")

    def _stat(self, path: str) -> Facts:
        return self._held(_id(path))

    def _held(self, where: str) -> Facts:
        document = self._ask("GET", where, Accept=JSON)
        held = document.get("_attachments", {}).get(ATTACHMENT)
        if held is None:
            raise FileNotFoundError(where)
        moment = document.get(SAVED_AT)
        modified = datetime.fromisoformat(moment) if moment else None
        return Facts(held["length"], modified, digest=held.get("digest", ""))

    def _read(self, path: str, facts: Facts, start: int) -> Iterator[bytes]:
        """Yield the bytes; the database has no ranges, so the first are thrown away."""
        md5 = hashlib.md5(usedforsecurity=False)
        skip = start
        with self._answer("GET", f"{_id(path)}/{ATTACHMENT}") as answer:
            while chunk := answer.read(CHUNK_BYTES):
                md5.update(chunk)
                yield chunk[skip:]
                skip = max(0, skip - len(chunk))
        self._agree(path, facts.digest, _couch(md5))

    def _put(self, path: str, chunks: Iterable[bytes], content: "File[Any]") -> None:
        md5, count = hashlib.md5(usedforsecurity=False), 0

        def heard() -> Iterator[bytes]:
            nonlocal count
            for chunk in chunks:
                md5.update(chunk)
                count += len(chunk)
                if chunk:  # an empty one would end the body
                    yield chunk

        staging = new_staging_name("save")
        try:
            self._stage(path, f"/{staging}", heard())
            held = self._held(f"/{staging}")
            require_size(path, count, held.size_bytes)
            self._agree(path, held.digest, _couch(md5))
            # The copy shares the attachment; a taken name is answered by 409.
            self._ask("COPY", f"/{staging}", Destination=_id(path)[1:])
        finally:
            with suppress(OSError):
                self._drop(f"/{staging}")

    def _stage(self, path: str, staging: str, body: Iterator[bytes]) -> None:
        document = json.dumps({SAVED_AT: datetime.now(UTC).isoformat()}).encode()
        with self._answer("PUT", staging, document, Content_Type=JSON) as answer:
            revision = json.loads(answer.read())["rev"]
        kind = guess_type(path)[0] or UNKNOWN_TYPE
        where = f"{staging}/{ATTACHMENT}?{urlencode({'rev': revision})}"
        chunked = {"Content_Type": kind, "Transfer_Encoding": "chunked"}
        with self._answer("PUT", where, body, **chunked) as answer:
            answer.read()

    def _agree(self, path: str, kept: str, found: str) -> None:
        # Another sum than MD5 is nothing that could be compared.
        if kept.startswith("md5-") and kept != found:
            words = _(
                "%(name)s: the bytes are not those that were sent; read it again."
            )
            raise OSError(words % {"name": path})

    def _remove(self, path: str) -> None:
        self._drop(_id(path))

    def _drop(self, where: str) -> None:
        revision = self._ask("GET", where, Accept=JSON)["_rev"]
        self._ask("DELETE", f"{where}?{urlencode({'rev': revision})}")

    def _list(self, path: str) -> tuple[list[str], list[str]]:
        lead = f"{path}/" if path else ""
        return split_names(self._names(_encoded(lead)), lead, path)

    def _names(self, lead: str) -> Iterator[str]:
        after = lead
        while True:
            span = {
                "startkey": json.dumps(after),
                "endkey": json.dumps(f"{lead}\ufff0"),
            }
            query = urlencode(span | {"limit": str(PAGE)})
            names = [
                row["id"] for row in self._ask("GET", f"/_all_docs?{query}")["rows"]
            ]
            yield from (_decoded(name) for name in names if name != after)
            if len(names) < PAGE:
                return
            after = names[-1]


def _encoded(path: str) -> str:
    """Return a name in letters that a URL and a header hold as they are.

    Servers differ in whether they decode "Destination"; so there is nothing to decode.
    The same beginning stays the same beginning, for listings.
    """
    return LEAD + quote(path, safe="").replace("%", ESCAPE)


def _decoded(identity: str) -> str:
    return unquote(identity.removeprefix(LEAD).replace(ESCAPE, "%"))


def _id(path: str) -> str:
    return f"/{_encoded(path)}"


def _couch(md5: Any) -> str:
    return f"md5-{b64encode(md5.digest()).decode()}"
