"""Run the watchdog once: queue jobs that are due, dead or were never queued."""

from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from upload import recovery
from upload.models import Job


class Command(BaseCommand):
    help = "Queue jobs that are due, dead or lost, and fail those tried too often."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--dry-run", action="store_true", help="only list jobs due or dead"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        if options["dry_run"]:
            for job in Job.objects.claimable():
                self.stdout.write(f"{job} is due or its worker is dead.")
            return
        found = recovery.recover(self.stdout.write)
        counts = f"{found.queued} queued, {found.failed} failed"
        self.stdout.write(f"{counts}, {found.recreated} made anew.")
