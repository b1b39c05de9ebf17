"""An S3-compatible server as a target, through django-storages' ``S3Storage``.

Small files go in one request, longer ones in parts. Nothing is overwritten: the name is
asked for before, and where the server knows ``If-None-Match`` it refuses by itself.
What was written is read back in full; see docs/decisions/0007.
"""

from collections.abc import Iterable, Iterator
from contextlib import ExitStack, suppress
from datetime import datetime, timedelta
from itertools import chain, islice
from typing import Any

from django.utils import timezone
from storages.backends.s3 import S3Storage

from upload.copy_engine import Beat, Hasher, Receipt, receipt_of, silent, verify
from upload.durable import occupied, taken_over
from upload.errors import UnsafePath
from upload.targets.base import (
    OWN_NAMES,
    is_staging_of,
    new_staging_name,
    still,
)
from upload.targets.parts import regrouped
from upload.targets.patience import Patience
from upload.targets.remote import RemoteTarget
from upload.targets.s3_calls import CLIENT_CONFIG, GONE, TAKEN, Calls, at_once
from upload.targets.s3_upload import (
    Upload,
    Whole,
    abort_noted,
    md5_of,
    part_bytes,
    summed,
)
from upload.wording import gettext as _

MOST_KEY_BYTES = 1024


class S3Target(RemoteTarget):
    """The objects below the storage's ``location`` in its bucket."""

    def __init__(
        self,
        storage: S3Storage,
        identity: str = "",
        patience: Patience | None = None,
    ) -> None:
        self._location = storage.location.strip("/")
        super().__init__(_place(storage, self._location), identity)
        self._storage = storage
        storage.client_config = storage.client_config.merge(CLIENT_CONFIG)
        self._patience = patience or Patience()
        self._opened: Calls | None = None

    @property
    def _calls(self) -> Calls:
        if self._opened is None:
            client = at_once(self._storage.connection.meta.client)
            bucket = self._storage.bucket_name
            self._opened = Calls(client, bucket, self.place, self._patience)
        return self._opened

    def close(self) -> None:
        if self._opened is not None:
            self._opened.client.close()

    def _key(self, relative_path: str) -> str:
        key = f"{self._location}/{relative_path}".lstrip("/")
        if len(key.encode()) > MOST_KEY_BYTES:
            raise UnsafePath(
                _("“%(key)s” is longer than the %(limit)d bytes that S3 takes.")
                % {"key": key, "limit": MOST_KEY_BYTES}
            )
        return key

    def _reach(self) -> None:
        # Not head_bucket: listing is what sweeping needs, and tells a missing bucket.
        self._calls.ask("list_objects_v2", None, Prefix=self._key(OWN_NAMES), MaxKeys=1)

    def free_bytes(self) -> int | None:
        return None

    def _head(self, relative_path: str, beat: Beat) -> dict[str, Any] | None:
        head: dict[str, Any] | None = self._calls.ask(
            "head_object", beat, GONE, Key=self._key(relative_path)
        )
        return head

    def _size(self, relative_path: str) -> int | None:
        head = self._head(relative_path, silent)
        if head is None:
            raise FileNotFoundError(relative_path)
        return int(head["ContentLength"])

    def digest(self, relative_path: str, beat: Beat = silent) -> Receipt:
        key = self._key(relative_path)
        return receipt_of(self._calls.read(key, still(beat)), beat)

    def _send(
        self,
        relative_path: str,
        chunks: Iterable[bytes],
        expected: Receipt | None,
        staging_prefix: str,
        beat: Beat,
    ) -> Receipt:
        quiet, hasher = still(beat), Hasher()
        length = part_bytes(expected.size_bytes if expected else None)
        parts = regrouped(chunks, length, hasher, beat)
        with ExitStack() as stack:
            with hasher:
                start = list(islice(parts, 2))
                kind = Whole if len(start) == 1 else Upload
                note = self._key(new_staging_name(staging_prefix))
                writing = kind(self._calls, self._key(relative_path), note, quiet)
                stack.callback(writing.leave)
                writing.begin(self._parameters(relative_path))
                for part, md5 in summed(chain(start, parts)):
                    writing.send(part, md5)
            verify(relative_path, expected, hasher.receipt())
            quiet(0)
            etag = writing.complete()
        return self._settled(relative_path, hasher.receipt(), etag, quiet)

    def _settled(
        self, relative_path: str, sent: Receipt, etag: str, beat: Beat
    ) -> Receipt:
        """Return what the server holds now; delete it again where it is not right."""
        if not etag:
            if not self.exists(relative_path):
                raise taken_over(relative_path)
            return self._confirm(relative_path, sent, beat)
        found = self.digest(relative_path, beat)
        if not sent.agrees_with(found):
            self._drop_ours(relative_path, etag)
            verify(relative_path, sent, found)
        return found

    def _drop_ours(self, relative_path: str, etag: str) -> None:
        """Delete what we wrote; raise ``TargetOccupied`` where another replaced it."""
        head = self._head(relative_path, silent)
        if head is not None and head["ETag"] != etag:
            raise occupied(relative_path)
        self._calls.ask("delete_object", silent, Key=self._key(relative_path))

    def _parameters(self, relative_path: str) -> dict[str, Any]:
        """Return what the settings want of each object: encryption, class, ACL."""
        wanted: dict[str, Any] = self._storage.get_object_parameters(relative_path)
        if self._storage.default_acl:
            wanted["ACL"] = self._storage.default_acl
        return wanted

    def write_own(self, name: str, content: bytes) -> None:
        key, parameters = self._key(name), self._parameters(name)
        if not self._calls.has(key, None) and self._put_new(key, content, parameters):
            return
        if self.read_own(name) != content:
            raise occupied(name)

    def _put_new(self, key: str, body: bytes, parameters: dict[str, Any]) -> bool:
        """Write a small object; return False where the server refuses to replace."""
        written = self._calls.ask(
            "put_object",
            None,
            TAKEN,
            Key=key,
            Body=body,
            ContentMD5=md5_of(body),
            IfNoneMatch="*",
            **parameters,
        )
        return written is not None

    def read_own(self, name: str) -> bytes:
        return b"".join(self._calls.read(self._key(name), None))

    def list_own(self) -> list[str]:
        return [name for name, _changed in self._own()]

    def _own(self) -> Iterator[tuple[str, datetime]]:
        """Yield name and time of each own file."""
        lead = self._key(OWN_NAMES)
        more: dict[str, Any] = {}
        while True:
            page = self._calls.ask("list_objects_v2", None, Prefix=lead, **more)
            for found in page.get("Contents", ()):
                name = found["Key"][len(lead) - len(OWN_NAMES) :]
                yield name, found["LastModified"]
            if not page.get("IsTruncated"):
                return
            more = {"ContinuationToken": page["NextContinuationToken"]}

    def drop_own(self, name: str) -> None:
        self._calls.ask("delete_object", None, Key=self._key(name))

    def drop_staging(self, prefix: str, min_age_seconds: float = 0) -> int:
        before = timezone.now() - timedelta(seconds=min_age_seconds)
        dropped = 0
        for name, changed in list(self._own()):
            young = min_age_seconds > 0 and changed > before
            if young or not is_staging_of(name, prefix):
                continue
            with suppress(FileNotFoundError):
                content = self.read_own(name)
                abort_noted(self._calls, self._key(name), content)
                dropped += 1
        return dropped

    def capabilities(self) -> dict[str, bool]:
        name = new_staging_name("probe")
        self.write_own(name, b"first")
        try:
            replaced = self._put_new(self._key(name), b"second", self._parameters(name))
        finally:
            self.drop_own(name)
        return {"refuses_to_replace": not replaced, "stages": True, "syncs": True}


def _place(storage: S3Storage, location: str) -> str:
    return f"s3://{storage.bucket_name}/{location}".rstrip("/")
