"""OpenStack Swift (Rackspace called it Cloud Files), by ``python-swiftclient``.

A long file goes as segments into a container beside, and gets its name with the list of
them (a static large object), so that no half file has a name. Each request's ETag is
compared, and ``If-None-Match: *`` lets Swift refuse a taken name.
"""

import hashlib
import json
import secrets
from collections.abc import Iterable, Iterator
from contextlib import closing, contextmanager, suppress
from datetime import UTC, datetime
from itertools import chain, islice
from typing import Any

from django.core.files.base import File
from django.utils.deconstruct import deconstructible
from django.utils.translation import gettext as _

from upload.copy_engine import CHUNK_BYTES, Hasher, silent
from upload.durable import occupied
from upload.queued_storage.remotes.base import (
    AddressedStorage,
    Facts,
    as_os_errors,
    lacking,
    require_size,
)
from upload.queued_storage.remotes.lines import Lines
from upload.targets.base import refused, unreachable
from upload.targets.parts import regrouped

try:
    from swiftclient import ClientException, Connection
except ImportError as error:
    raise lacking("swift") from error

ANSWER_SECONDS = 40.0
SEGMENT_BYTES = 32 << 20
# Swift takes lists of 1,000 segments by default: 31 GiB; above that they are longer.
MOST_SEGMENTS = 900
SEGMENTS = "_segments"
NOT_FOUND, TAKEN, UNPROCESSABLE = 404, 412, 422
NOT_ALLOWED = {401, 403}


@deconstructible
class SwiftStorage(AddressedStorage):
    """The objects of one container, which exists. ``auth`` are swiftclient's options.

    For example ``{"authurl": …, "user": …, "key": …}``, and for Keystone
    ``auth_version`` "3" and ``os_options``.
    """

    verifies_writes = True

    def __init__(
        self, *, container: str, auth: dict[str, Any], base_url: str | None = None
    ) -> None:
        self.base_url = base_url
        self._container = container
        self.place = f"swift:{container}"
        options = {"timeout": ANSWER_SECONDS, "retries": 0} | auth
        self._lines = Lines(lambda: Connection(**options), _hang_up, lambda line: True)

    def close(self) -> None:
        """End idle connections; the next call opens one again."""
        self._lines.close()

    @contextmanager
    def _speaking(self, path: str) -> Iterator[Any]:
        with as_os_errors(), self._lines.line() as connection:
            try:
                yield connection
            except ClientException as error:
                # "from None": an address with a signature may stand in the text.
                raise self._meant(error, path) from None

    def _meant(self, error: Any, path: str) -> Exception:
        status = int(error.http_status or 0)
        if status == NOT_FOUND:
            return FileNotFoundError(f"{self.place}: {path}")
        if status == TAKEN:
            return occupied(path)
        words = _("the server answered %(status)d %(code)s")
        reason = (words % {"status": status, "code": ""}).rstrip()
        if status in NOT_ALLOWED:
            return refused(self.place, reason)
        return unreachable(self.place, reason)

    def _stat(self, path: str) -> Facts:
        with self._speaking(path) as line:
            head = line.head_object(self._container, path)
        seconds = float(head.get("x-timestamp", 0))
        segmented = head.get("x-static-large-object", "").lower() == "true"
        etag = "" if segmented else head["etag"].strip('"')
        moment = datetime.fromtimestamp(seconds, UTC)
        return Facts(int(head["content-length"]), moment, segmented, etag)

    def _read(self, path: str, facts: Facts, start: int) -> Iterator[bytes]:
        md5 = hashlib.md5(usedforsecurity=False)
        headers = {"Range": f"bytes={start}-"} if start else {}
        with self._speaking(path) as line:
            _head, body = line.get_object(
                self._container, path, resp_chunk_size=CHUNK_BYTES, headers=headers
            )
            with closing(body):
                for chunk in body:
                    md5.update(chunk)
                    yield chunk
        if facts.digest and not start and md5.hexdigest() != facts.digest:
            words = _(
                "%(name)s: the bytes are not those that were sent; read it again."
            )
            raise OSError(words % {"name": path})

    def _put(self, path: str, chunks: Iterable[bytes], content: "File[Any]") -> None:
        size_bytes = getattr(content, "size", 0) or 0
        length = max(SEGMENT_BYTES, -(-size_bytes // MOST_SEGMENTS))
        with self._speaking(path) as line, Hasher() as hasher:
            parts = regrouped(chunks, length, hasher, silent)
            start = list(islice(parts, 2))
            if len(start) == 1:
                self._place(line, path, start[0], None)
            else:
                self._segmented(line, path, chain(start, parts))
        require_size(path, hasher.size_bytes, self._stat(path).size_bytes)

    def _segmented(self, line: Any, path: str, parts: Iterator[bytes]) -> None:
        """Send the segments, then the name; drop them where it is not given."""
        beside, lead = self._container + SEGMENTS, f"{path}/{secrets.token_hex(8)}"
        line.put_container(beside)
        sent: list[dict[str, Any]] = []
        try:
            for number, part in enumerate(parts):
                name = f"{lead}/{number:08d}"
                told = {"path": f"/{beside}/{name}", "size_bytes": len(part)}
                sent.append(told)
                told["etag"] = _md5(part)
                line.put_object(beside, name, part, len(part), told["etag"])
            self._place(line, path, json.dumps(sent).encode(), "multipart-manifest=put")
        except BaseException:
            self._drop_segments(beside, sent)
            raise

    def _place(self, line: Any, path: str, body: bytes, query: str | None) -> None:
        # The ETag of a list is another sum: Swift compares each segment's instead.
        etag = None if query else _md5(body)
        line.put_object(
            self._container,
            path,
            body,
            len(body),
            etag,
            headers={"If-None-Match": "*"},
            query_string=query,
        )

    def _drop_segments(self, beside: str, sent: list[dict[str, Any]]) -> None:
        """Delete what has no name; on a connection of its own, for ours may be lost."""
        with suppress(OSError), self._speaking(beside) as line:
            for told in sent:
                with suppress(ClientException):
                    line.delete_object(beside, told["path"].partition("/")[2])

    def _remove(self, path: str) -> None:
        segmented = self._stat(path).key
        query = "multipart-manifest=delete" if segmented else None
        with self._speaking(path) as line:
            line.delete_object(self._container, path, query_string=query)

    def _list(self, path: str) -> tuple[list[str], list[str]]:
        lead = f"{path}/" if path else ""
        folders: list[str] = []
        files: list[str] = []
        with self._speaking(path) as line:
            _head, found = line.get_container(
                self._container, prefix=lead, delimiter="/", full_listing=True
            )
        for entry in found:
            if "subdir" in entry:
                folders.append(entry["subdir"][len(lead) : -1])
            else:
                files.append(entry["name"][len(lead) :])
        if path and not found:
            raise FileNotFoundError(path)
        return folders, files


def _md5(body: bytes) -> str:
    return hashlib.md5(body, usedforsecurity=False).hexdigest()


def _hang_up(connection: Any) -> None:
    with suppress(OSError, ClientException):
        connection.close()
