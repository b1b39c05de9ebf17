"""Azure Blob Storage: django-storages' ``AzureStorage``, streamed and checked.

The stock one copies an opened blob to a temporary file first. Here a file goes as
blocks, each with the MD5 of its bytes, which the server checks; the list of them gives
the name, and ``If-None-Match: *`` lets the server refuse a taken one. Blocks that got
no name are dropped by Azure after a week.
"""

import hashlib
import secrets
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from mimetypes import guess_type
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
    from azure.core import MatchConditions
    from azure.core.exceptions import (
        AzureError,
        ResourceExistsError,
        ResourceNotFoundError,
    )
    from azure.storage.blob import BlobBlock, ContentSettings
    from storages.backends.azure_storage import AzureStorage
except ImportError as error:
    raise lacking("azure") from error

# Azure takes 50,000 blocks: 390 GiB; above that they are longer.
BLOCK_BYTES = 8 << 20
MOST_BLOCKS = 45_000
NOT_ALLOWED = {401, 403}


@deconstructible
class VerifiedAzureStorage(RemoteStorage, AzureStorage):
    """The OPTIONS are django-storages'; ``overwrite_files`` is refused."""

    verifies_writes = True

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        if self.overwrite_files:
            raise ImproperlyConfigured(
                _("%(class)s refuses overwrite_files; remove it.")
                % {"class": type(self).__name__}
            )
        stock: Any = self
        stock.location = stock.location.strip("/")
        account = f"azure://{self.account_name}/{self.azure_container}"
        self.place = f"{account}/{self.location}".rstrip("/")

    def get_default_settings(self) -> dict[str, Any]:
        found: dict[str, Any] = super().get_default_settings()
        return found | {"overwrite_files": False}

    def problem(self) -> str:
        if self.azure_container:
            return ""
        return missing_option("azure_container", "AZURE_CONTAINER")

    def close(self) -> None:
        """End idle connections; the next call opens one again."""
        stock: Any = self
        service, stock._service_client = stock._service_client, None
        stock._client = None
        if service is not None:
            service.close()

    def _key(self, path: str) -> str:
        return f"{self.location}/{path}".lstrip("/")

    @contextmanager
    def _speaking(self, path: str) -> Iterator[Any]:
        self._require_complete()
        with as_os_errors():
            try:
                yield self.client.get_blob_client(self._key(path))
            except ResourceNotFoundError:
                raise FileNotFoundError(f"{self.place}: {path}") from None
            except ResourceExistsError:
                raise occupied(path) from None
            except AzureError as error:
                # "from None": an address with a signature may stand in the text.
                raise _meant(self.place, error) from None

    def _stat(self, path: str) -> Facts:
        with self._speaking(path) as blob:
            told = blob.get_blob_properties(timeout=self.timeout)
        md5 = bytes(told.content_settings.content_md5 or b"").hex()
        return Facts(told.size, told.last_modified, told.etag, md5)

    def _read(self, path: str, facts: Facts, start: int) -> Iterator[bytes]:
        if facts.size_bytes == start:
            return
        md5 = hashlib.md5(usedforsecurity=False)
        with self._speaking(path) as blob:
            stream = blob.download_blob(offset=start, **_unchanged(facts))
            for piece in stream.chunks():
                md5.update(piece)
                yield piece
        if start == 0:
            require_digest(path, facts.digest, md5.hexdigest())

    def _put(self, path: str, chunks: Iterable[bytes], content: "File[Any]") -> None:
        md5 = hashlib.md5(usedforsecurity=False)
        source, size_bytes = Source(chunks, md5), getattr(content, "size", 0) or 0
        length = max(BLOCK_BYTES, -(-size_bytes // MOST_BLOCKS))
        with self._speaking(path) as blob:
            if blob.exists(timeout=self.timeout):  # an early answer; Azure decides
                raise occupied(path)
            blocks = []
            while piece := source.read(length):
                # Of this save: blocks of another at the same name are not its own.
                block = BlobBlock(secrets.token_hex(16))
                blob.stage_block(block.id, piece, len(piece), validate_content=True)
                blocks.append(block)
            parameters = self._parameters(path, bytearray(md5.digest()))
            blob.commit_block_list(blocks, **parameters)
        facts = self._stat(path)
        require_size(path, source.sent_bytes, facts.size_bytes)
        require_digest(path, facts.digest, md5.hexdigest())

    def _parameters(self, path: str, md5: bytearray) -> dict[str, Any]:
        told = dict(self.object_parameters)
        kind = told.pop("content_type", None) or guess_type(path)[0]
        settings = {"content_type": kind or self.default_content_type}
        names = ("content_encoding", "content_language", "content_disposition")
        settings |= {name: told.pop(name) for name in names if name in told}
        cache = told.pop("cache_control", self.cache_control)
        headers = ContentSettings(**settings, cache_control=cache, content_md5=md5)
        absent = {"match_condition": MatchConditions.IfMissing}
        return told | {"content_settings": headers} | absent

    def _remove(self, path: str) -> None:
        with self._speaking(path) as blob:
            blob.delete_blob(timeout=self.timeout)

    def _list(self, path: str) -> tuple[list[str], list[str]]:
        lead = self._key(f"{path}/" if path else "")
        lead = f"{lead}/" if lead and not lead.endswith("/") else lead
        with self._speaking(path):
            found = list(self.client.walk_blobs(name_starts_with=lead))
        names = [entry.name[len(lead) :] for entry in found]
        if path and not names:
            raise FileNotFoundError(path)
        folders = [name[:-1] for name in names if name.endswith("/")]
        return folders, [name for name in names if name and not name.endswith("/")]


def _unchanged(facts: Facts) -> dict[str, Any]:
    return {"etag": facts.key, "match_condition": MatchConditions.IfNotModified}


def _meant(place: str, error: Any) -> Exception:
    status = int(getattr(error, "status_code", 0) or 0)
    if not status:
        return unreachable(place, type(error).__name__)
    words = _("the server answered %(status)d %(code)s")
    reason = (words % {"status": status, "code": ""}).rstrip()
    return (refused if status in NOT_ALLOWED else unreachable)(place, reason)
