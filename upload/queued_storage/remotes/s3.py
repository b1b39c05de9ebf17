"""django-storages' ``S3Storage``, streamed and checked, and never replacing.

The stock one keeps an opened object whole in memory and overwrites by default. Here
each request carries the MD5 of its body, which the server checks; where the object's
ETag is not just that, it is asked in the end how long the object is. ``If-None-Match``
refuses a taken name where the server knows it; elsewhere the name is asked for before.
See docs/decisions/0007.
"""

import hashlib
import os
import threading
from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from itertools import chain, islice
from typing import Any

from django.core.exceptions import ImproperlyConfigured
from django.core.files.base import File
from django.utils.deconstruct import deconstructible
from django.utils.translation import gettext as _

from upload.copy_engine import Hasher, silent
from upload.durable import occupied
from upload.queued_storage.remotes.base import (
    Facts,
    RemoteStorage,
    as_os_errors,
    lacking,
    missing_option,
    require_size,
)
from upload.targets.base import new_staging_name
from upload.targets.parts import regrouped
from upload.targets.patience import Patience

try:
    from storages.backends.s3 import S3Storage

    from upload.targets.s3_calls import CLIENT_CONFIG, GONE, Calls, at_once
    from upload.targets.s3_upload import Upload, Whole, part_bytes, summed
except ImportError as error:
    raise lacking("s3") from error

# Servers that fail are tried again for so long.
PATIENCE_SECONDS = 120.0
# The metadata by which a save knows its own object again.
NOTE = "muniment-save"
MAKING = threading.Lock()


class _Counter(Hasher):
    """Only counts: the server compares the MD5 of each request."""

    def _hand_on(self, piece: Any) -> None:
        """Take no digest."""


@deconstructible
class VerifiedS3Storage(RemoteStorage, S3Storage):
    """The OPTIONS are django-storages'; ``patience_seconds`` is how long to try again.

    ``file_overwrite`` and ``gzip`` are refused: names are final and bytes are kept.
    """

    verifies_writes = True

    def __init__(self, **options: Any) -> None:
        self._patience_seconds = options.pop("patience_seconds", PATIENCE_SECONDS)
        self._shared: tuple[int, Any] = (0, None)
        super().__init__(**options)
        if self.file_overwrite or self.gzip:
            raise ImproperlyConfigured(
                _("%(class)s refuses file_overwrite and gzip; remove them.")
                % {"class": type(self).__name__}
            )
        stock: Any = self
        stock.location = stock.location.strip("/")
        stock.client_config = stock.client_config.merge(CLIENT_CONFIG)

    def get_default_settings(self) -> dict[str, Any]:
        found: dict[str, Any] = super().get_default_settings()
        return found | {"file_overwrite": False, "gzip": False}

    def problem(self) -> str:
        if self.bucket_name:
            return ""
        return missing_option("bucket_name", "AWS_STORAGE_BUCKET_NAME")

    def _calls(self) -> Calls:
        self._require_complete()
        place = f"s3://{self.bucket_name}/{self.location}".rstrip("/")
        return Calls(
            self._client(), self.bucket_name, place, Patience(self._patience_seconds)
        )

    def _client(self) -> Any:
        """Return the client of this process; threads may share one, forks may not.

        Making one takes longer than sending a hundred short files.
        """
        with MAKING:
            if self._shared[0] != os.getpid():
                client = at_once(self.connection.meta.client)
                self._shared = (os.getpid(), client)
        return self._shared[1]

    def _key(self, path: str) -> str:
        return f"{self.location}/{path}".lstrip("/")

    def _stat(self, path: str) -> Facts:
        with as_os_errors():
            head = self._calls().ask("head_object", silent, GONE, Key=self._key(path))
        if head is None:
            raise FileNotFoundError(path)
        return Facts(int(head["ContentLength"]), head["LastModified"], head["ETag"])

    def _read(self, path: str, facts: Facts, start: int) -> Iterator[bytes]:
        with as_os_errors():
            yield from self._calls().read(self._key(path), silent, (facts.key, start))

    def _put(self, path: str, chunks: Iterable[bytes], content: "File[Any]") -> None:
        calls, token = self._calls(), new_staging_name("save")
        with as_os_errors():
            if calls.has(self._key(path), silent):
                raise occupied(path)
            parameters = dict(self._get_write_parameters(path, content))
            noted = {**parameters.get("Metadata", {}), NOTE: token}
            parameters["Metadata"] = noted
            length = part_bytes(getattr(content, "size", None))
            counter = _Counter()
            parts = regrouped(chunks, length, counter, silent)
            etag, wanted = self._upload(calls, self._key(path), parts, parameters)
            if not wanted or etag != wanted:
                self._settle(calls, path, (etag, token), counter.size_bytes)

    def _upload(
        self,
        calls: Calls,
        key: str,
        parts: Iterator[bytes],
        parameters: dict[str, Any],
    ) -> tuple[str, str]:
        """Return the new object's ETag, ``""`` where it is not known to be ours.

        Then the ETag by which the server says that it has just these bytes; ``""``
        where it may say so in other words.
        """
        start = list(islice(parts, 2))
        kind = Whole if len(start) == 1 else Upload
        note = self._key(parameters["Metadata"][NOTE])
        with ExitStack() as stack:
            writing = kind(calls, key, note, silent)
            stack.callback(writing.leave)
            writing.begin(parameters)
            for part, md5 in summed(chain(start, parts)):
                writing.send(part, md5)
            etag = writing.complete()
        return etag, _etag_of(start[0]) if kind is Whole else ""

    def _settle(
        self, calls: Calls, path: str, ours: tuple[str, str], sent_bytes: int
    ) -> None:
        """Make sure that the name is ours and holds all bytes.

        Without an ETag the answer was lost, or another writer was first: the token
        that went along as metadata tells which. A server that keeps no metadata gives
        an object whose answer was lost a second name.
        """
        etag, token = ours
        head = calls.ask("head_object", silent, GONE, Key=self._key(path))
        if head is None:
            require_size(path, sent_bytes, -1)
        if not etag and head["Metadata"].get(NOTE) != token:
            raise occupied(path)
        if int(head["ContentLength"]) != sent_bytes:
            calls.ask("delete_object", silent, Key=self._key(path))
        require_size(path, sent_bytes, int(head["ContentLength"]))

    def _remove(self, path: str) -> None:
        with as_os_errors():
            self._calls().ask("delete_object", silent, Key=self._key(path))

    def _list(self, path: str) -> tuple[list[str], list[str]]:
        lead = self._key(f"{path}/" if path else "")
        lead = f"{lead}/" if lead and not lead.endswith("/") else lead
        folders: list[str] = []
        files: list[str] = []
        for page in self._pages(lead):
            for found in page.get("CommonPrefixes", ()):
                folders.append(found["Prefix"][len(lead) :].rstrip("/"))
            for found in page.get("Contents", ()):
                files.append(found["Key"][len(lead) :])
        if path and not folders and not files:
            raise FileNotFoundError(path)
        return folders, [name for name in files if name]

    def _pages(self, lead: str) -> Iterator[dict[str, Any]]:
        calls, more = self._calls(), dict[str, Any]()
        with as_os_errors():
            while True:
                page = calls.ask(
                    "list_objects_v2", silent, Prefix=lead, Delimiter="/", **more
                )
                yield page
                if not page.get("IsTruncated"):
                    return
                more = {"ContinuationToken": page["NextContinuationToken"]}

    def close(self) -> None:
        """End the connections; the next call opens them again."""
        with MAKING:
            (_owner, client), self._shared = self._shared, (0, None)
        if client is not None:
            client.close()
        self._connections.connection = None

    def __getstate__(self) -> dict[str, Any]:
        state: dict[str, Any] = super().__getstate__()
        return state | {"_shared": (0, None)}


def _etag_of(body: bytes) -> str:
    """Return the ETag of an object that was sent in one request, not encrypted."""
    return f'"{hashlib.md5(body, usedforsecurity=False).hexdigest()}"'
