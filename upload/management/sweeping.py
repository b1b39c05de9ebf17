"""What the commands share that do one deed to each of many sessions."""

from collections.abc import Callable
from typing import Any, ClassVar

from django.core.management.base import BaseCommand, CommandError, CommandParser

from upload.management.progress import Progress

Tell = Callable[[Any, Exception | None], None]


class SweepCommand(BaseCommand):
    """Subclasses say which sessions and what to do; this tells, counts and fails.

    ``deed`` is a past participle. ``--dry-run`` only lists. Exit code 1 where a session
    could not be done; the others are done all the same.
    """

    deed: ClassVar[str]

    def candidates(self) -> Any:
        """Return the sessions that ``sweep`` will take, as a queryset."""
        raise NotImplementedError("subclasses must provide a candidates() method")

    def sweep(self, tell: Tell) -> tuple[int, int]:
        """Do it, telling each session; return how many were done and failed."""
        raise NotImplementedError("subclasses must provide a sweep() method")

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--dry-run", action="store_true", help="only list what would be done"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        if options["dry_run"]:
            self._list()
            return
        progress = Progress(self.candidates().count(), self.stdout)
        done, failed = self.sweep(lambda *told: self._show(progress, *told))
        progress.close()
        self.stdout.write(f"{done} {self.deed}, {failed} failed.")
        if failed:
            raise CommandError(
                f"{failed} of {done + failed} sessions could not be {self.deed}. The "
                "log has the causes; mend them and run the command again."
            )

    def _list(self) -> None:
        count = 0
        for session in self.candidates().order_by("pk").iterator(chunk_size=500):
            self.stdout.write(f"Session {session.uuid} would be {self.deed}.")
            count += 1
        self.stdout.write(f"{count} would be {self.deed}.")

    def _show(
        self, progress: Progress, session: Any, problem: Exception | None
    ) -> None:
        outcome = f"could not be {self.deed}: {problem}" if problem else self.deed
        progress.step(f"Session {session.uuid} {outcome}", keep=bool(problem))
