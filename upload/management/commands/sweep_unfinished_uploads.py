"""End the resumable uploads whose time is over; the same as the schedule does."""

from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from upload import unfinished
from upload.models import UnfinishedUpload


class Command(BaseCommand):
    help = "End resumable uploads whose time or session is over; drop their bytes."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--dry-run", action="store_true", help="only count what would end"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        dry_run = options["dry_run"]
        ended = unfinished.sweep(UnfinishedUpload.objects, dry_run=dry_run)
        deed = "would end" if dry_run else "ended"
        self.stdout.write(f"{ended} unfinished uploads {deed}.")
