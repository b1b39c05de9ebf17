"""Read the files of stored sessions in full against their digests, here and now.

With ``--queue`` only queue what is due, as the schedule does. Exit code 1 where a file
failed or could not be checked.
"""

import json
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from upload import direct, fixity
from upload.errors import MunimentError
from upload.management.progress import Progress
from upload.models import UploadSession
from upload.states import JobKind, JobState, SessionStatus


class Command(BaseCommand):
    help = "Verify the files of the sessions that are due, or of all stored ones."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--all", action="store_true", help="not only what is due")
        parser.add_argument("--queue", action="store_true", help="queue what is due")
        parser.add_argument("--json", action="store_true", help="print one JSON object")
        parser.add_argument(
            "--dry-run", action="store_true", help="only list what would be verified"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        sessions = UploadSession.objects.fixity_due()
        if options["all"]:
            stored = UploadSession.objects.filter(status=SessionStatus.STORED)
            sessions = stored.order_by("pk")
        if options["dry_run"]:
            self._list(sessions, as_json=options["json"])
        elif options["queue"]:
            count = fixity.queue_due(UploadSession.objects)
            self._say({"queued": count}, f"{count} queued.", as_json=options["json"])
        else:
            self._verify(sessions, as_json=options["json"])

    def _list(self, sessions: Any, *, as_json: bool) -> None:
        found = [str(uuid) for uuid in sessions.values_list("uuid", flat=True)]
        lines = [f"Session {uuid} would be verified." for uuid in found]
        lines.append(f"{len(found)} would be verified.")
        self._say({"due": found}, "\n".join(lines), as_json=as_json)

    def _verify(self, sessions: Any, *, as_json: bool) -> None:
        keys = list(sessions.values_list("pk", flat=True))
        progress = Progress(len(keys), self.stdout)
        results = []
        for session in UploadSession.objects.filter(pk__in=keys).order_by("pk"):
            results.append(verify(session))
            if not as_json:
                result = results[-1]
                line = f"Session {session.uuid} {result['state']}. {result['error']}"
                progress.step(line.strip(), keep=bool(result["error"]))
        progress.close()
        self._conclude(results, as_json=as_json)

    def _conclude(self, results: list[dict[str, Any]], *, as_json: bool) -> None:
        bad = sum(result["state"] != JobState.SUCCEEDED for result in results)
        told = {"sessions": results, "verified": len(results) - bad, "failed": bad}
        line = f"{len(results) - bad} verified, {bad} failed."
        self._say(told, line, as_json=as_json)
        if bad:
            raise CommandError(
                f"{bad} of {len(results)} sessions could not be verified. Their events "
                "name the files; look for good copies in a backup."
            )

    def _say(self, told: dict[str, Any], line: str, *, as_json: bool) -> None:
        self.stdout.write(json.dumps(told, indent=2) if as_json else line)


def verify(session: UploadSession) -> dict[str, Any]:
    """Verify one session here and now; return what was found."""
    error = ""
    try:
        job = direct.run_now(session, JobKind.VERIFY)
    except MunimentError as problem:
        error = str(problem)
        job = session.job_set.filter(kind=JobKind.VERIFY).order_by("-pk").first()
    return {
        "session": str(session.uuid),
        "state": job.state if job and not error else JobState.FAILED.value,
        "files": job.files_done if job else 0,
        "error": error,
    }
