"""Write one object to an S3 server in parts, so that memory stays bounded.

No part is visible before the upload is completed, and none is left where it is not.
A note among our own files names each upload: whoever drops the note aborts the upload,
which can then place nothing any more.
"""

import hashlib
import json
from base64 import b64encode
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import Any

from upload.copy_engine import Beat
from upload.durable import taken_over
from upload.errors import DestinationRefused
from upload.targets.s3_calls import GONE, TAKEN, Calls

PART_BYTES = 8 << 20
# S3 takes 10,000 parts; some are spared for a file that grew.
MOST_PARTS = 9_000


def part_bytes(size_bytes: int | None) -> int:
    """Return how long parts must be so that a file of this size fits."""
    if size_bytes is None:
        return 2 * PART_BYTES
    return max(PART_BYTES, -(-size_bytes // MOST_PARTS))


def md5_of(body: bytes) -> str:
    """Return the sum that every S3 server checks what it received against."""
    return b64encode(hashlib.md5(body, usedforsecurity=False).digest()).decode()


def summed(parts: Iterator[bytes]) -> Iterator[tuple[bytes, str]]:
    """Yield each part with its ``md5_of``, taken while the one before is sent."""
    part = next(parts)
    md5 = md5_of(part)
    following = next(parts, None)
    if following is not None:
        with ThreadPoolExecutor(1, "md5") as aside:
            while following is not None:
                summing = aside.submit(md5_of, following)
                yield part, md5
                part, following = following, next(parts, None)
                md5 = summing.result()
    yield part, md5


class Whole:
    """A file that goes in one request, with the same steps as an ``Upload``."""

    def __init__(self, calls: Calls, key: str, note: str, beat: Beat) -> None:
        self._calls = calls
        self._key = key
        self._beat = beat
        self._parameters: dict[str, Any] = {}
        self._body, self._md5 = b"", md5_of(b"")

    def begin(self, parameters: dict[str, Any]) -> None:
        self._parameters = parameters

    def send(self, part: bytes, md5: str) -> None:
        self._body, self._md5 = part, md5

    def complete(self) -> str:
        """Give the object its name; return its ETag, ``""`` as ``Upload`` does."""
        done = self._calls.ask(
            "put_object",
            self._beat,
            TAKEN,
            unless=lambda: self._calls.has(self._key, self._beat),
            Key=self._key,
            Body=self._body,
            ContentMD5=self._md5,
            IfNoneMatch="*",
            **self._parameters,
        )
        return "" if done is None else str(done["ETag"])

    def leave(self) -> None:
        """Nothing is left: the request was the whole file or none."""


class Upload:
    """One multipart upload and the note that names it."""

    def __init__(self, calls: Calls, key: str, note: str, beat: Beat) -> None:
        self._calls = calls
        self._key = key
        self._note = note
        self._beat = beat
        self._parts: list[dict[str, Any]] = []
        self._upload_id = ""

    def begin(self, parameters: dict[str, Any]) -> None:
        begun = self._calls.ask(
            "create_multipart_upload", self._beat, Key=self._key, **parameters
        )
        self._upload_id = begun["UploadId"]
        body = json.dumps({"key": self._key, "upload_id": self._upload_id}).encode()
        self._calls.ask(
            "put_object",
            self._beat,
            Key=self._note,
            Body=body,
            ContentMD5=md5_of(body),
            **parameters,
        )

    def send(self, part: bytes, md5: str) -> None:
        """Send the next part; raise ``LeaseLost`` where the upload was aborted."""
        number = len(self._parts) + 1
        sent = self._calls.ask(
            "upload_part",
            self._beat,
            GONE,
            PartNumber=number,
            Body=part,
            ContentMD5=md5,
            **self._names(),
        )
        if sent is None:
            raise taken_over(self._note)
        self._parts.append({"PartNumber": number, "ETag": sent["ETag"]})

    def complete(self) -> str:
        """Give the object its name; return its ETag, ``""`` where it has none from us.

        That is so where something else has the name, where the upload was aborted, and
        where the answer to an earlier try was lost.
        """
        done = self._calls.ask(
            "complete_multipart_upload",
            self._beat,
            GONE | TAKEN,
            unless=lambda: self._calls.has(self._key, self._beat),
            MultipartUpload={"Parts": self._parts},
            IfNoneMatch="*",
            **self._names(),
        )
        return "" if done is None else str(done["ETag"])

    def leave(self) -> None:
        """Abort what was not completed and drop the note; never raises.

        What cannot be done now is done by whoever drops the note.
        """
        with suppress(DestinationRefused, OSError):
            abort(self._calls, self._note, self._key, self._upload_id)

    def _names(self) -> dict[str, Any]:
        return {"Key": self._key, "UploadId": self._upload_id}


def abort(calls: Calls, note: str, key: str, upload_id: str) -> None:
    """Abort an upload, which may have ended, and delete its note."""
    if upload_id:
        calls.ask("abort_multipart_upload", None, GONE, Key=key, UploadId=upload_id)
    calls.ask("delete_object", None, Key=note)


def abort_noted(calls: Calls, note: str, content: bytes) -> None:
    """Abort the upload that a note's content names; any other own file is deleted."""
    named: Any = {}
    with suppress(ValueError):
        named = json.loads(content)
    if not isinstance(named, dict):
        named = {}
    abort(calls, note, str(named.get("key", "")), str(named.get("upload_id", "")))
