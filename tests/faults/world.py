"""A portal in folders of its own, put back as it was before each fault.

The database is SQLite in a file unless it is given another. Processes of the portal
run in it through ``tests.faults.forks``; this room itself knows no Django.
"""

import os
import re
import secrets
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Self

from tests.codebase import ROOT
from tests.faults.databases import Database, Postgresql, Sqlite

DATABASE = "muniment.sqlite3"
FORMATS = "Document:txt,csv,pdf;Record:bin"  # those of ``contents``
TIMES = ("lease_until", "heartbeat_at", "enqueued_at", "next_run_at", "created_at")

# What tells of a job, and stays when it goes.
OF_JOBS = (
    *("upload_sessionevent", "upload_filecopy"),
    *("upload_removedfile", "upload_removalcertificate"),
)


class World:
    """``data`` holds the database and all folders but ``uploaded``.

    The ledger is the client's and survives what happens to the portal's disks.
    """

    def __init__(self, root: Path, uploaded: Path, data: Path | None = None) -> None:
        self.root, self.uploaded = root, uploaded
        self.data, self.kept = data or root / "data", root / "kept"
        self.ledger = root / "ledger.jsonl"
        self.temp = self.data / "temp"
        self.destination = self.data / "destinations" / "archive"
        self.database_path = self.data / DATABASE
        self.database: Database = Sqlite(self.database_path)
        self.log = root / "log.txt"
        self.secret_key = secrets.token_urlsafe(64)
        self.more: dict[str, str] = {}  # variables of one test's own
        for folder in (root, self.data):
            folder.mkdir(parents=True, exist_ok=True)
        self.uploaded.mkdir()
        self.ledger.touch()

    def take_database(self, other: Sqlite | Postgresql) -> None:
        """Begin with a copy of a database that nobody has open."""
        if isinstance(other, Sqlite):
            self.database = other.copied(self.database_path)
        else:
            self.database = other.copied()

    def environment(self) -> dict[str, str]:
        """Return what the portal sees: nothing of this person's shell but PATH."""
        return {
            "PATH": os.environ.get("PATH", os.defpath),
            # Else a first run would have steps that later ones lack.
            "PYTHONDONTWRITEBYTECODE": "1",
            "DJANGO_SETTINGS_MODULE": "portal.settings",
            "SECRET_KEY": self.secret_key,
            "ALLOWED_HOSTS": "localhost,127.0.0.1",
            "HTTPS_ONLY": "0",
            "DATA_DIR": str(self.data),
            "DATABASE_URL": self.database.url,
            "UPLOAD_STORAGE_FOLDER": str(self.uploaded),
            "REMOVAL_NEEDS_APPROVAL": "0",
            "JOB_RETRY_DELAY_SECONDS": "0",
            "LOG_LEVEL": "WARNING",
            "ACCEPTED_FILE_FORMATS": FORMATS,
            "FAULTS_LEDGER": str(self.ledger),
        } | self.more

    def keep(self) -> None:
        """Remember the present state as the one to start from."""
        shutil.copytree(self.data, self.kept / "data")
        shutil.copytree(self.uploaded, self.kept / "uploaded")
        self.database.keep()
        self.keep_ledger()

    def keep_ledger(self) -> None:
        self.kept.mkdir(exist_ok=True)
        shutil.copy(self.ledger, self.kept)

    def restore_ledger(self) -> None:
        shutil.copy(self.kept / self.ledger.name, self.ledger)

    def restore(self) -> None:
        self.restore_ledger()
        for name, place in (("data", self.data), ("uploaded", self.uploaded)):
            shutil.rmtree(place)
            shutil.copytree(self.kept / name, place)
        self.database.restore()
        self._note_fingerprints()

    def _note_fingerprints(self) -> None:
        """Note the copies' inodes and times, or each file would count as touched."""
        statements = []
        for row in self.database.rows("upload_tempuploadedfile"):
            seen = (self.temp / row["file_upload"]).stat()
            times = f"{seen.st_mtime_ns}-{seen.st_ctime_ns}"
            noted = f"{seen.st_ino}-{seen.st_size}-{times}"
            statements.append(
                f"UPDATE upload_tempuploadedfile SET fingerprint = '{noted}' "  # noqa: S608
                f"WHERE id = {row['id']}"
            )
        self.database.run(statements)

    def let_a_day_pass(self) -> None:
        """Age all jobs by a day, so that leases have run out and waits are over."""
        aged = ", ".join(
            f"{name} = {self.database.earlier(name, '1 day')}" for name in TIMES
        )
        self.database.run([f"UPDATE upload_job SET {aged}"])  # noqa: S608 - names of ours

    def lose_the_queue(self) -> None:
        self.database.run(["DELETE FROM django_q_ormq"])

    def lose_the_jobs(self) -> None:
        """Delete queue and job rows, as an old backup of them would."""
        self.lose_the_queue()
        self.database.run(
            [
                "DELETE FROM upload_jobitem",
                *(f"UPDATE {table} SET job_id = NULL" for table in OF_JOBS),  # noqa: S608
                "DELETE FROM upload_job",
            ]
        )

    def deliver_again(self, times: int) -> None:
        """Copy each row of the queue, as a queue does that delivers more than once."""
        second_ago = self.database.earlier("CURRENT_TIMESTAMP", "1 second")
        copy = (
            "INSERT INTO django_q_ormq (key, payload, lock) SELECT DISTINCT "  # noqa: S608
            f"key, payload, {second_ago} FROM django_q_ormq"
        )
        self.database.run([copy] * times)


class Portal:
    """The processes of one world; ends with the block."""

    def __init__(self, world: World) -> None:
        self.world = world
        with world.log.open("ab") as log:
            self._server = subprocess.Popen(
                [sys.executable, "-m", "tests.faults.forks"],
                cwd=ROOT,
                env=world.environment(),
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
            )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        self._server.communicate()

    def _tell(self, command: str) -> str:
        incoming, outgoing = _pipes(self._server)
        incoming.write(f"{command}\n")
        incoming.flush()
        answer = outgoing.readline().strip()
        if not answer:
            raise RuntimeError(f"The portal died at {command!r}: {self.said()}")
        return answer

    def said(self) -> str:
        """Return the last words of the portal's log."""
        return self.world.log.read_text(errors="replace")[-2000:]

    def start(self, deed: str) -> int:
        """Fork a process that waits to do the deed; return its id."""
        return int(self._tell(f"start {deed}"))

    def go(self, process: int) -> None:
        self._tell(f"go {process}")

    def wait(self, process: int) -> str:
        """Return ``stopped``, the exit code, or a signal's number with a minus."""
        return self._tell(f"wait {process}")

    def run(self, deed: str) -> None:
        """Do the deed in a process of its own, unharmed."""
        process = self.start(deed)
        self.go(process)
        if self.wait(process) != "0":
            raise RuntimeError(f"The deed {deed!r} failed: {self.said()}")

    def run_at_once(self, deeds: list[str]) -> None:
        """Do the deeds in processes that run side by side, unharmed."""
        processes = [self.start(deed) for deed in deeds]
        for process in processes:
            self.go(process)
        ends = [self.wait(process) for process in processes]
        if set(ends) != {"0"}:
            raise RuntimeError(f"The deeds {deeds} failed: {self.said()}")

    @contextmanager
    def traced(self, deed: str, *options: str) -> Iterator[int]:
        """Start the deed under strace with these options and yield its process.

        Only its main thread is traced: programs that it starts have steps of their own.
        """
        process = self.start(deed)
        with subprocess.Popen(
            ["strace", *options, "-p", str(process)],
            stderr=subprocess.PIPE,
            text=True,
        ) as strace:
            assert strace.stderr is not None
            greeting = strace.stderr.readline()
            if not re.search("attached", greeting):
                raise RuntimeError(f"strace could not attach: {greeting}")
            self.go(process)
            yield process


def _pipes(process: "subprocess.Popen[str]") -> tuple[IO[str], IO[str]]:
    assert process.stdin is not None
    assert process.stdout is not None
    return process.stdin, process.stdout
