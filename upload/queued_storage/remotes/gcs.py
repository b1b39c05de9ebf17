"""Google Cloud Storage: django-storages' ``GoogleCloudStorage``, streamed and checked.

The stock one keeps an opened object whole in memory and overwrites by default. Here the
upload is resumable, piece by piece; ``ifGenerationMatch=0`` lets the server refuse a
taken name when it finishes; size and MD5 are compared afterwards.
"""

import hashlib
from base64 import b64encode
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

from django.core.exceptions import ImproperlyConfigured
from django.core.files.base import File
from django.utils.deconstruct import deconstructible
from django.utils.translation import gettext as _

from upload.durable import occupied
from upload.queued_storage.remotes.base import (
    Facts,
    RemoteStorage,
    as_os_errors,
    lacking,
    missing_option,
    require_digest,
    require_size,
)
from upload.queued_storage.remotes.sources import Source
from upload.targets.base import refused, unreachable

try:
    from google.api_core.exceptions import GoogleAPIError, NotFound, PreconditionFailed
    from google.auth.exceptions import GoogleAuthError
    from google.cloud.exceptions import GoogleCloudError
    from google.cloud.storage.exceptions import DataCorruption
    from google.resumable_media import InvalidResponse
    from requests import RequestException
    from storages.backends.gcloud import GoogleCloudStorage
except ImportError as error:
    raise lacking("gcs") from error

PIECE_BYTES = 8 << 20
NOT_ALLOWED = {401, 403}
FAILURES = (
    GoogleAPIError,
    GoogleAuthError,
    GoogleCloudError,
    InvalidResponse,
    DataCorruption,
    RequestException,
)


@deconstructible
class VerifiedGoogleCloudStorage(RemoteStorage, GoogleCloudStorage):
    """The OPTIONS are django-storages'; ``file_overwrite`` and ``gzip`` are refused."""

    verifies_writes = True

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        if self.file_overwrite or self.gzip:
            raise ImproperlyConfigured(
                _("%(class)s refuses file_overwrite and gzip; remove them.")
                % {"class": type(self).__name__}
            )
        stock: Any = self
        stock.location = stock.location.strip("/")
        self.place = f"gs://{self.bucket_name}/{self.location}".rstrip("/")

    def get_default_settings(self) -> dict[str, Any]:
        found: dict[str, Any] = super().get_default_settings()
        return found | {"file_overwrite": False, "gzip": False}

    def problem(self) -> str:
        if self.bucket_name:
            return ""
        return missing_option("bucket_name", "GS_BUCKET_NAME")

    def close(self) -> None:
        """End idle connections; the next call opens one again."""
        stock: Any = self
        client, stock._client, stock._bucket = stock._client, None, None
        if client is not None:
            client.close()

    def _key(self, path: str) -> str:
        return f"{self.location}/{path}".lstrip("/")

    @contextmanager
    def _speaking(self, path: str) -> Iterator[Any]:
        self._require_complete()
        with as_os_errors():
            try:
                yield self.bucket
            except NotFound:
                raise FileNotFoundError(f"{self.place}: {path}") from None
            except PreconditionFailed:
                raise occupied(path) from None
            except FAILURES as error:
                # "from None": an address with a signature may stand in the text.
                raise _meant(self.place, error) from None

    def _stat(self, path: str) -> Facts:
        with self._speaking(path) as bucket:
            blob = bucket.get_blob(self._key(path))
        if blob is None:
            raise FileNotFoundError(f"{self.place}: {path}")
        return Facts(int(blob.size or 0), blob.updated, blob, blob.md5_hash or "")

    def _read(self, path: str, facts: Facts, start: int) -> Iterator[bytes]:
        md5 = hashlib.md5(usedforsecurity=False)
        with self._speaking(path) as bucket:
            # Of this generation: the name may be given anew meanwhile.
            blob = bucket.blob(self._key(path), generation=facts.key.generation)
            for at in range(start, facts.size_bytes, PIECE_BYTES):
                last = min(at + PIECE_BYTES, facts.size_bytes) - 1
                piece = blob.download_as_bytes(start=at, end=last, checksum=None)
                md5.update(piece)
                yield piece
        if start == 0:
            require_digest(path, facts.digest, b64encode(md5.digest()).decode())

    def _put(self, path: str, chunks: Iterable[bytes], content: "File[Any]") -> None:
        md5 = hashlib.md5(usedforsecurity=False)
        parameters = self.get_object_parameters(path)
        kind = parameters.pop("content_type", None) or "application/octet-stream"
        acl = parameters.pop("acl", self.default_acl)
        with self._speaking(path) as bucket:
            blob = bucket.blob(self._key(path), chunk_size=PIECE_BYTES)
            for name, value in parameters.items():
                setattr(blob, name, value)
            if blob.exists():  # an early answer; the condition below decides
                raise occupied(path)
            source = Source(chunks, md5)
            blob.upload_from_file(
                source, content_type=kind, predefined_acl=acl, if_generation_match=0
            )
        facts = self._stat(path)
        try:
            require_size(path, source.sent_bytes, facts.size_bytes)
            # Objects that a server put together have no MD5.
            require_digest(path, facts.digest, b64encode(md5.digest()).decode())
        except OSError:
            with self._speaking(path):
                facts.key.delete(if_generation_match=facts.key.generation)
            raise

    def _remove(self, path: str) -> None:
        with self._speaking(path) as bucket:
            bucket.delete_blob(self._key(path))

    def _list(self, path: str) -> tuple[list[str], list[str]]:
        lead = self._key(f"{path}/" if path else "")
        lead = f"{lead}/" if lead and not lead.endswith("/") else lead
        with self._speaking(path) as bucket:
            found = bucket.list_blobs(prefix=lead, delimiter="/")
            files = [blob.name[len(lead) :] for blob in found]
        folders = [name[len(lead) :].rstrip("/") for name in found.prefixes]
        if path and not folders and not files:
            raise FileNotFoundError(path)
        return folders, [name for name in files if name]


def _meant(place: str, error: Exception) -> Exception:
    answer = getattr(error, "response", None)
    status = int(getattr(error, "code", 0) or getattr(answer, "status_code", 0) or 0)
    if not status:
        return unreachable(place, type(error).__name__)
    words = _("the server answered %(status)d %(code)s")
    reason = (words % {"status": status, "code": ""}).rstrip()
    return (refused if status in NOT_ALLOWED else unreachable)(place, reason)
