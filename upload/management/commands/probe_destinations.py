"""Try destinations out, the same as the admin's button does."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from upload.management.progress import Progress
from upload.models import Destination
from upload.probe import probe


class Command(BaseCommand):
    help = "Write, read, list and delete a small file at each enabled destination."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("names", nargs="*", help="only these, enabled or not")
        parser.add_argument(
            "--dry-run", action="store_true", help="only list what would be probed"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        destinations = self._chosen(options["names"])
        if options["dry_run"]:
            for destination in destinations:
                self.stdout.write(
                    f"{destination} ({destination.root}) would be probed."
                )
            return
        progress = Progress(len(destinations), self.stdout)
        failed = [d for d in destinations if not self._probed(d, progress)]
        progress.close()
        if failed:
            raise CommandError(
                f"{len(failed)} of {len(destinations)} destinations cannot take a "
                "copy now. Their reasons stand above; mend them and probe again."
            )

    def _chosen(self, names: list[str]) -> list[Destination]:
        if not names:
            return list(Destination.objects.enabled())
        found = list(Destination.objects.filter(name__in=names))
        if unknown := sorted(set(names) - {d.name for d in found}):
            raise CommandError(
                f"No destination is called {', '.join(unknown)}. Look at the list in "
                "the admin and name one of those."
            )
        return found

    def _probed(self, destination: Destination, progress: Progress) -> bool:
        found = probe(destination)
        told = f"ok, {found['latency_ms']} ms" if found["ok"] else found["error"]
        progress.step(f"{destination}: {told}", keep=not found["ok"])
        return bool(found["ok"])
