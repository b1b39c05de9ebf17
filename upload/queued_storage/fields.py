"""A file field whose files can be transferred by hand."""

from typing import Any

from django.db.models import FileField
from django.db.models.fields.files import FieldFile

from upload.queued_storage.models import QueuedFile


class QueuedFieldFile(FieldFile):
    """A file of a ``QueuedFileField``."""

    def transfer(self) -> QueuedFile:
        """Have the file transferred; return the row that tells what comes of it."""
        file: Any = self
        file._require_file()
        storage: Any = self.storage
        row: QueuedFile = storage.transfer(self.name)
        return row


class QueuedFileField(FileField):
    """A ``FileField`` for queued storages."""

    attr_class = QueuedFieldFile
