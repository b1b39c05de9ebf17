"""Make the rows of django-q2's schedules say what ``upload.schedules`` says."""

from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from upload import schedules


class Command(BaseCommand):
    help = "Create or mend our schedules and delete all others."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--dry-run", action="store_true", help="only list the schedules"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        if options["dry_run"]:
            for planned in schedules.PLANNED:
                line = f"{planned.name}: {planned.func} each {planned.minutes} min."
                self.stdout.write(line)
            return
        kept, deleted = schedules.sync()
        if options["verbosity"]:
            self.stdout.write(
                f"{kept} schedules in place, {deleted} strange ones deleted."
            )
