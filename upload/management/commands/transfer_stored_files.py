"""Have permanent files transferred that were stored before there was a second place."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import transaction

from upload.copy_engine import Receipt
from upload.management.progress import Progress
from upload.models import PermUploadedFile
from upload.storage import UploadedFileStorage, has_rows, note_placed

BATCH_FILES = 500


class Command(BaseCommand):
    help = "Queue the transfer of the permanent files that were never queued."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--dry-run", action="store_true", help="only count files")

    def handle(self, *args: Any, **options: Any) -> None:
        if not has_rows(UploadedFileStorage()):
            raise CommandError("There is no second place: set UPLOADED_STORAGE_REMOTE.")
        files = PermUploadedFile.objects.exclude(file_upload=None)
        files = files.exclude(file_upload="")
        total = files.count()
        if options["dry_run"]:
            self.stdout.write(f"{total} files would be looked at.")
            return
        progress, last = Progress(-(-total // BATCH_FILES), self.stdout), 0
        while keys := self._batch(files.filter(pk__gt=last)):
            last = keys[-1]
            progress.step(f"{len(keys)} files looked at.")
        progress.close()
        self.stdout.write(f"{total} files are queued or were transferred before.")

    def _batch(self, files: Any) -> list[int]:
        """Queue a batch, held so that none is removed meanwhile; return its keys."""
        with transaction.atomic():
            rows = list(files.select_for_update().order_by("pk")[:BATCH_FILES])
            placed = [(r.file_upload.name, Receipt(r.size, r.sha256)) for r in rows]
            note_placed(UploadedFileStorage(), placed)
        return [row.pk for row in rows]
