"""Load the demo data of ``fixtures.demo``; keeps all that is there."""

from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from fixtures.demo import load_demo


class Command(BaseCommand):
    help = "Make demo people, destinations and sessions where they are missing."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--dry-run", action="store_true", help="only say what would be made"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        load_demo(self.stdout.write, dry_run=options["dry_run"])
