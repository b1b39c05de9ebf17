"""Load a large portal of ``fixtures.many`` into an empty database."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from fixtures.many import Plan, load_many


class Command(BaseCommand):
    help = (
        "Make many sessions and files for measurements: rows without bytes, only in a "
        "database that has no sessions. The same numbers and seed give the same rows."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--sessions", type=int, default=100_000)
        parser.add_argument("--files", type=int, default=1_000_000)
        parser.add_argument("--seed", type=int, default=1)
        parser.add_argument(
            "--days", type=int, default=730, help="over how many days they started"
        )
        parser.add_argument(
            "--dry-run", action="store_true", help="only say what would be made"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        sessions, files = options["sessions"], options["files"]
        if min(sessions, options["days"]) < 1 or files < 0:
            raise CommandError(
                "Give at least one session, one day and no negative number of files, "
                "for example --sessions 1000 --files 10000."
            )
        if options["dry_run"]:
            self.stdout.write(f"{sessions:,} sessions and {files:,} files.")
            return
        try:
            plan = Plan(sessions, files, options["seed"], options["days"])
            load_many(plan, self.stdout.write)
        except ValueError as error:
            raise CommandError(str(error)) from error
