"""Claim a job, keep it, and fence off whoever had it before.

A claim is one conditional UPDATE that raises the job's ``fence``. Every later write
goes through ``Work`` and is conditional on that number, so a worker that was paused
past its lease can change no row once another has claimed the job.
"""

import os
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

from django.db import transaction
from django.db.models import F
from django.db.models.functions import Coalesce
from django.utils import timezone

from upload import conf
from upload.errors import JobCancelled, LeaseLost, WorkerStopping
from upload.states import JobState

BEAT_SECONDS = 1.0
LONGEST_LEASE_WITHOUT_BEAT = 4  # a lease is renewed at least four times in its life


def owner() -> str:
    """Return who this worker is: host, process, for people to read."""
    return f"{socket.gethostname()}:{os.getpid()}"


def claim(job: Any) -> "Work | None":
    """Take the job if it is due or its worker is dead; None where it is not ours.

    Raises ``fence`` and ``attempts`` and writes the lease in one conditional UPDATE.
    Call it inside the transaction that moves the session's status.
    """
    left = type(job).objects.filter(attempts__lt=conf.job_max_attempts())
    return _take(job, left, attempts=F("attempts") + 1)


def claim_to_end(job: Any) -> "Work | None":
    """Take a job that has no attempt left, only to write its end."""
    spent = type(job).objects.filter(attempts__gte=conf.job_max_attempts())
    return _take(job, spent)


def _take(job: Any, rows: Any, **values: Any) -> "Work | None":
    now = timezone.now()
    mine = rows.claimable(now).filter(pk=job.pk, fence=job.fence)
    if not mine.update(
        state=JobState.RUNNING,
        fence=F("fence") + 1,
        lease_owner=owner(),
        lease_until=now + conf.job_lease(),
        heartbeat_at=now,
        started_at=Coalesce("started_at", now),
        **values,
    ):
        return None
    job.refresh_from_db()
    return Work(job)


class Work:
    """One attempt at a job: its heartbeat, its fence and its progress.

    The job's row counts bytes of settled files plus those moved since; its end counts
    settled files alone. Not shared between threads.
    """

    def __init__(self, job: Any) -> None:
        self.job = job
        self.session = job.session
        self.fence = job.fence
        # An attempt first drops what earlier ones staged: then a stale worker that
        # wakes up has nothing left to place.
        self.staging_of_job = f"job-{job.pk}-"
        self.staging_prefix = f"{self.staging_of_job}{job.fence}"
        self.files_done = job.files_done
        self.bytes_done = job.bytes_done
        self.current_file = ""
        self._bytes_under_way = 0
        self._renewed = time.monotonic()
        lease_seconds = conf.job_lease().total_seconds()
        self._beat_seconds = min(
            BEAT_SECONDS, lease_seconds / LONGEST_LEASE_WITHOUT_BEAT
        )

    def _rows(self) -> Any:
        return type(self.job).objects.filter(
            pk=self.job.pk, fence=self.fence, state=JobState.RUNNING
        )

    def start_file(self, name: str) -> None:
        self.current_file = name
        self.beat(0)

    def beat(self, count: int) -> None:
        """Count bytes moved; renew the lease when it is time.

        Raise ``LeaseLost``, ``JobCancelled`` or ``WorkerStopping``: the caller drops
        what it has staged and lets the error pass.
        """
        self._bytes_under_way += count
        if time.monotonic() - self._renewed >= self._beat_seconds:
            self.renew()

    def renew(self) -> None:
        """Write progress and lease now, and notice a cancel or a stop."""
        if _stop_requested():
            raise WorkerStopping("The worker is stopping; the job goes on later.")
        if not self._rows().update(**self._progress()):
            raise LeaseLost(f"Job {self.job.uuid} was taken over by another attempt.")
        self._renewed = time.monotonic()
        if self._rows().filter(cancel_requested_at__isnull=False).exists():
            raise JobCancelled(f"Job {self.job.uuid} was cancelled.")

    def _progress(self) -> dict[str, Any]:
        now = timezone.now()
        moved = self.bytes_done + self._bytes_under_way
        return {
            "lease_until": now + conf.job_lease(),
            "heartbeat_at": now,
            "files_done": self.files_done,
            # A file that was read twice must not count for more than there is.
            "bytes_done": min(moved, max(self.job.bytes_total, self.bytes_done)),
            "current_file": self.current_file[:255],
        }

    def finish_files(self, count: int, size_bytes: int) -> None:
        """Count whole files as done; the next write tells the job row."""
        self.files_done += count
        self.bytes_done += size_bytes
        self._bytes_under_way = 0

    @contextmanager
    def fenced(self) -> Iterator[None]:
        """Open a transaction that commits only if the job still is ours.

        The job's row is written first, so that a rival claim waits for this commit or
        this transaction fails with ``LeaseLost``.
        """
        with transaction.atomic():
            if not self._rows().update(**self._progress()):
                raise LeaseLost(
                    f"Job {self.job.uuid} was taken over by another attempt."
                )
            yield

    def end(self, state: JobState, **values: Any) -> None:
        """Write the job's end; inside ``fenced`` with the session's last move."""
        self._bytes_under_way = 0
        self._rows().update(
            **self._progress()
            | {
                "state": state,
                "finished_at": timezone.now(),
                "lease_until": None,
                "lease_owner": "",
                "current_file": "",
            }
            | values
        )

    def release(self, delay: timedelta, *, counted: bool = True, **values: Any) -> None:
        """Give the job back to the queue, to run again after ``delay``."""
        now = timezone.now()
        attempts = F("attempts") - (0 if counted else 1)
        self._rows().update(
            state=JobState.QUEUED,
            next_run_at=now + delay,
            lease_until=None,
            lease_owner="",
            attempts=attempts,
            **values,
        )


def _stop_requested() -> bool:
    """Return whether the worker's supervisor has asked for an end."""
    path = conf.worker_stop_file()
    return path is not None and path.exists()
