"""Compare rows and bytes once; the same as the schedule does."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from upload import orphans


class Command(BaseCommand):
    help = "Delete orphan bytes that our records explain; report what is missing."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--dry-run", action="store_true", help="only list what would be deleted"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        found = orphans.sweep(dry_run=options["dry_run"])
        deed = "would be deleted" if options["dry_run"] else "deleted"
        for key in found.deleted:
            self.stdout.write(f"Orphan {deed}: {key}")
        for key in found.unexplained:
            self.stdout.write(f"Orphan kept, nothing explains it: {key}")
        for file in found.missing:
            self.stdout.write(f"Bytes missing: {file}")
        self.stdout.write(f"{found.staging_dropped} staging files dropped.")
        if found.missing or found.unexplained:
            raise CommandError(
                f"{len(found.missing)} files have no bytes and "
                f"{len(found.unexplained)} keys belong to no file. Look for the bytes "
                "in a backup; if the database was restored, restore a newer one."
            )
