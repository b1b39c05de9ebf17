"""Files in Django's own database, in pieces, so that memory stays flat.

Its tables are those of ``upload.queued_storage.remotes.database_app``, which has to be
in ``INSTALLED_APPS``. The file's row gets its name last, so a cut-off save shows
nothing; ``drop_unfinished`` takes what a killed one left.
"""

from collections.abc import Iterable, Iterator
from datetime import timedelta
from typing import Any

from django.apps import apps
from django.core.files.base import File
from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.deconstruct import deconstructible
from django.utils.translation import gettext as _

from upload.copy_engine import CHUNK_BYTES, Hasher, Receipt, verify
from upload.durable import occupied
from upload.queued_storage.remotes.base import (
    AddressedStorage,
    Facts,
    split_names,
)

LABEL = "queued_storage_database"
APP = "upload.queued_storage.remotes.database_app"
MOST_NAME_LENGTH = 1024


@deconstructible
class DatabaseStorage(AddressedStorage):
    """The files in the tables of the database ``using``."""

    verifies_writes = True

    def __init__(self, *, using: str = "default", base_url: str | None = None) -> None:
        self.base_url = base_url
        self._using = using

    def problem(self) -> str:
        if apps.is_installed(APP):
            return ""
        words = _("DatabaseStorage needs “%(app)s” in INSTALLED_APPS; then migrate.")
        return words % {"app": APP}

    def _rows(self, model: str) -> Any:
        self._require_complete()
        found: Any = apps.get_model(LABEL, model)
        return found._base_manager.using(self._using)

    def _stat(self, path: str) -> Facts:
        row = self._rows("StoredFile").filter(name=path).first()
        if row is None:
            raise FileNotFoundError(path)
        return Facts(row.size, row.created_at, row.pk, row.sha256)

    def _read(self, path: str, facts: Facts, start: int) -> Iterator[bytes]:
        """Yield the bytes; one query a piece, so that no cursor holds many."""
        hasher = Hasher()
        number, skipped = divmod(start, CHUNK_BYTES)
        pieces = self._rows("StoredPiece").filter(file_id=facts.key)
        with hasher:
            for at in range(number, -(-facts.size_bytes // CHUNK_BYTES)):
                content = pieces.filter(number=at).values_list("content").first()
                if content is None:
                    return
                piece = bytes(content[0])
                hasher.update(piece)
                yield piece[skipped:]
                skipped = 0
        if start == 0:
            verify(path, Receipt(facts.size_bytes, facts.digest), hasher.receipt())

    def _put(self, path: str, chunks: Iterable[bytes], content: "File[Any]") -> None:
        if len(path) > MOST_NAME_LENGTH:
            raise OSError(f"{path[:40]}…: {len(path)} > {MOST_NAME_LENGTH}")
        row = self._rows("StoredFile").create(name=None)
        try:
            receipt = self._write(row, chunks)
            self._name(row, path, receipt)
        except BaseException:
            self._drop(self._rows("StoredFile").filter(pk=row.pk))
            raise

    def _write(self, row: Any, chunks: Iterable[bytes]) -> Receipt:
        with Hasher() as hasher:
            for number, piece in enumerate(_pieces(chunks)):
                hasher.update(piece)
                self._rows("StoredPiece").create(
                    file_id=row.pk, number=number, content=piece
                )
        return hasher.receipt()

    def _name(self, row: Any, path: str, receipt: Receipt) -> None:
        """Give the file its name; raise ``FileExistsError`` where another has it."""
        try:
            with transaction.atomic(self._using):
                self._rows("StoredFile").filter(pk=row.pk).update(
                    name=path, size=receipt.size_bytes, sha256=receipt.sha256
                )
        except IntegrityError as error:
            raise occupied(path) from error

    def _remove(self, path: str) -> None:
        self._drop(self._rows("StoredFile").filter(name=path))

    def _drop(self, files: Any) -> int:
        """Delete the rows by SQL alone: Django's cascade would read all bytes."""
        keys = list(files.values_list("pk", flat=True))
        with transaction.atomic(self._using):
            pieces = self._rows("StoredPiece").filter(file_id__in=keys)
            pieces._raw_delete(self._using)
            files.filter(pk__in=keys)._raw_delete(self._using)
        return len(keys)

    def drop_unfinished(self, min_age_seconds: float) -> int:
        """Drop files that got no name for so long; return how many."""
        before = timezone.now() - timedelta(seconds=min_age_seconds)
        files = self._rows("StoredFile").filter(name=None, created_at__lte=before)
        return self._drop(files)

    def _list(self, path: str) -> tuple[list[str], list[str]]:
        lead = f"{path}/" if path else ""
        rows = self._rows("StoredFile").filter(name__startswith=lead)
        names = rows.values_list("name", flat=True).iterator()
        # SQLite's LIKE takes no notice of case.
        return split_names((n for n in names if n.startswith(lead)), lead, path)


def _pieces(chunks: Iterable[bytes]) -> Iterator[bytes]:
    """Yield the same bytes by exactly 1 MiB, so that a piece is found by its number."""
    waiting = bytearray()
    for chunk in chunks:
        waiting += chunk
        while len(waiting) >= CHUNK_BYTES:
            yield bytes(waiting[:CHUNK_BYTES])
            del waiting[:CHUNK_BYTES]
    if waiting:
        yield bytes(waiting)
