"""GridFS, files in MongoDB, through ``pymongo``'s own ``GridFSBucket``.

A file's document is written after all its pieces, and a unique index on the names lets
one of two writers have a name. GridFS itself would keep both, one before the other.
"""

from collections.abc import Iterable, Iterator
from contextlib import closing, contextmanager, suppress
from datetime import UTC
from re import escape
from typing import Any

from django.core.files.base import File
from django.utils.deconstruct import deconstructible

from upload.copy_engine import CHUNK_BYTES, Hasher, Receipt, verify
from upload.durable import occupied
from upload.queued_storage.remotes.base import (
    AddressedStorage,
    Facts,
    lacking,
    split_names,
)
from upload.targets.base import unreachable

try:
    from gridfs import GridFSBucket
    from gridfs.errors import FileExists, NoFile
    from pymongo import MongoClient
    from pymongo.errors import PyMongoError
except ImportError as error:
    raise lacking("gridfs") from error

CONNECT_MILLISECONDS = 10_000
ANSWER_MILLISECONDS = 40_000


@deconstructible
class GridFSStorage(AddressedStorage):
    """The files of one bucket. ``uri`` may hold a password; ``place`` never does."""

    def __init__(
        self,
        *,
        uri: str,
        database: str,
        bucket: str = "fs",
        base_url: str | None = None,
    ) -> None:
        self.base_url = base_url
        self.place = f"gridfs:{database}/{bucket}"
        self._uri, self._database, self._bucket = uri, database, bucket
        self._client: Any = None
        self._indexed = False

    def close(self) -> None:
        """End the connections; the next call opens them again."""
        client, self._client = self._client, None
        if client is not None:
            client.close()

    @contextmanager
    def _speaking(self) -> Iterator[Any]:
        """Yield the database; its client is a pool that many threads may use."""
        try:
            if self._client is None:
                self._client = MongoClient(
                    self._uri,
                    connectTimeoutMS=CONNECT_MILLISECONDS,
                    serverSelectionTimeoutMS=CONNECT_MILLISECONDS,
                    socketTimeoutMS=ANSWER_MILLISECONDS,
                )
            yield self._client[self._database]
        except NoFile as error:
            raise FileNotFoundError(self.place) from error
        except PyMongoError as error:
            # "from None": an address with its password may stand in the text.
            raise unreachable(self.place, type(error).__name__) from None

    def _stat(self, path: str) -> Facts:
        with self._speaking() as database:
            found = database[self._bucket].files.find_one({"filename": path})
        if found is None:
            raise FileNotFoundError(path)
        moment = found["uploadDate"].replace(tzinfo=UTC)
        digest = (found.get("metadata") or {}).get("sha256", "")
        return Facts(found["length"], moment, found["_id"], digest)

    def _read(self, path: str, facts: Facts, start: int) -> Iterator[bytes]:
        with self._speaking() as database, Hasher() as hasher:
            files = GridFSBucket(database, self._bucket)
            with closing(files.open_download_stream(facts.key)) as stream:
                stream.seek(start)
                while piece := stream.read(CHUNK_BYTES):
                    hasher.update(piece)
                    yield piece
        if start == 0:
            verify(path, Receipt(facts.size_bytes, facts.digest), hasher.receipt())

    def _put(self, path: str, chunks: Iterable[bytes], content: "File[Any]") -> None:
        with self._speaking() as database:
            self._index(database)
            files = GridFSBucket(database, self._bucket)
            stream = files.open_upload_stream(path, metadata={})
            try:
                with Hasher() as hasher:
                    for piece in chunks:
                        hasher.update(piece)
                        stream.write(piece)
                stream.set("metadata", {"sha256": hasher.receipt().sha256})
                stream.close()
            except BaseException as error:
                _abort(stream)
                if isinstance(error, FileExists):
                    raise occupied(path) from error
                raise

    def _index(self, database: Any) -> None:
        if not self._indexed:
            files = database[self._bucket].files
            files.create_index("filename", unique=True, name="muniment_names")
            self._indexed = True

    def _remove(self, path: str) -> None:
        facts = self._stat(path)
        with self._speaking() as database:
            GridFSBucket(database, self._bucket).delete(facts.key)

    def _list(self, path: str) -> tuple[list[str], list[str]]:
        lead = f"{path}/" if path else ""
        with self._speaking() as database:
            wanted = {"filename": {"$regex": f"^{escape(lead)}"}}
            found = database[self._bucket].files.find(wanted, {"filename": 1})
            with closing(found):
                names = (document["filename"] for document in found)
                return split_names(names, lead, path)


def _abort(stream: Any) -> None:
    """Delete the pieces that were sent; what cannot be deleted has no name."""
    with suppress(PyMongoError):
        stream.abort()
