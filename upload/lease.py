"""Claim a job, keep it, and fence off whoever had it before.

A claim is one conditional UPDATE that raises the job's ``fence``. Every later write
goes through ``Work`` and is conditional on that number, so a worker that was paused
past its lease can change no row once another has claimed the job.
"""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

from django.db import transaction
from django.db.models import F
from django.db.models.functions import Coalesce
from django.utils import timezone

from upload import conf, worker
from upload.errors import JobCancelled, LeaseLost, WorkerStopping
from upload.states import JobState
from upload.wording import gettext as _

BEAT_SECONDS = 1.0
LONGEST_LEASE_WITHOUT_BEAT = 4  # a lease is renewed at least four times in its life


def claim(job: Any) -> "Work | None":
    """Take the job if it is due or its worker is dead; None where it is not ours.

    Raises ``fence`` and ``attempts`` and writes the lease in one conditional UPDATE.
    Call it inside the transaction that moves the session's status.
    """
    return Work(job) if _take_with_an_attempt(job) else None


def claim_order(order: Any) -> "Lease | None":
    """Take a bulk order as ``claim`` takes a job."""
    return Lease(order) if _take_with_an_attempt(order) else None


def claim_to_end(job: Any) -> "Work | None":
    """Take a job that has no attempt left, only to write its end."""
    return Work(job) if _take_spent(job) else None


def claim_order_to_end(order: Any) -> "Lease | None":
    return Lease(order) if _take_spent(order) else None


def _take_with_an_attempt(row: Any) -> bool:
    left = type(row).objects.filter(attempts__lt=conf.job_max_attempts())
    return _take(row, left, attempts=F("attempts") + 1)


def _take_spent(row: Any) -> bool:
    spent = type(row).objects.filter(attempts__gte=conf.job_max_attempts())
    return _take(row, spent)


def _take(row: Any, rows: Any, **values: Any) -> bool:
    now = timezone.now()
    mine = rows.claimable(now).filter(pk=row.pk, fence=row.fence)
    taken = mine.update(
        state=JobState.RUNNING,
        fence=F("fence") + 1,
        lease_owner=worker.owner(),
        lease_until=now + conf.job_lease(),
        heartbeat_at=now,
        started_at=Coalesce("started_at", now),
        **values,
    )
    if taken:
        row.refresh_from_db()
    return bool(taken)


class Lease:
    """One attempt at a job or a bulk order: its heartbeat and its fence."""

    def __init__(self, row: Any) -> None:
        self.row = row
        self.fence = row.fence
        self._renewed = time.monotonic()

    def _rows(self) -> Any:
        return type(self.row).objects.filter(
            pk=self.row.pk, fence=self.fence, state=JobState.RUNNING
        )

    def renew(self) -> None:
        """Write progress and lease now, and notice a cancel or a stop.

        Raise ``LeaseLost``, ``JobCancelled`` or ``WorkerStopping``.
        """
        if worker.stop_requested():
            raise WorkerStopping("The worker is stopping; the job goes on later.")
        self.keep()
        if self._rows().filter(cancel_requested_at__isnull=False).exists():
            raise JobCancelled(_("It was cancelled while it ran."))

    def keep(self) -> None:
        """Write progress and lease now, cancelled or not; raise ``LeaseLost``."""
        if not self._rows().update(**self._progress()):
            raise LeaseLost(f"{self._name} was taken over by another attempt.")
        self._renewed = time.monotonic()

    @property
    def _name(self) -> str:
        return f"{type(self.row).__name__} {self.row.uuid}"

    def _progress(self) -> dict[str, Any]:
        now = timezone.now()
        return {"lease_until": now + conf.job_lease(), "heartbeat_at": now}

    @contextmanager
    def fenced(self) -> Iterator[None]:
        """Open a transaction that commits only if the row still is ours.

        The row is written first, so that a rival claim waits for this commit or this
        transaction fails with ``LeaseLost``.
        """
        with transaction.atomic():
            self.keep()
            yield

    def end(self, state: str, **values: Any) -> None:
        """Write the end; inside ``fenced`` with what else ends with it."""
        self._rows().update(
            **self._progress()
            | {
                "state": state,
                "finished_at": timezone.now(),
                "lease_until": None,
                "lease_owner": "",
            }
            | values
        )

    def release(self, delay: timedelta, *, counted: bool = True, **values: Any) -> None:
        """Give the row back to the queue, to run again after ``delay``."""
        given_back = {
            "state": JobState.QUEUED,
            "next_run_at": timezone.now() + delay,
            "lease_until": None,
            "lease_owner": "",
            "attempts": F("attempts") - (0 if counted else 1),
        }
        self._rows().update(**given_back | values)


class Work(Lease):
    """One attempt at a job: its lease and its progress.

    The job's row counts bytes of settled files plus those moved since; its end counts
    settled files alone. Not shared between threads.
    """

    def __init__(self, job: Any) -> None:
        super().__init__(job)
        self.job = job
        self.session = job.session
        # An attempt first drops what earlier ones staged: then a stale worker that
        # wakes up has nothing left to place.
        self.staging_of_job = f"job-{job.pk}-"
        self.staging_prefix = f"{self.staging_of_job}{job.fence}"
        self.files_done = job.files_done
        self.bytes_done = job.bytes_done
        self.current_file = ""
        # Whether a disk could not give a file that the next attempt may get from it,
        # and how many one after the other.
        self.is_disk_sick = False
        self.unreadable_in_a_row = 0
        self._bytes_under_way = 0
        lease_seconds = conf.job_lease().total_seconds()
        self._beat_seconds = min(
            BEAT_SECONDS, lease_seconds / LONGEST_LEASE_WITHOUT_BEAT
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

    def _progress(self) -> dict[str, Any]:
        moved = self.bytes_done + self._bytes_under_way
        return super()._progress() | {
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

    def end(self, state: str, **values: Any) -> None:
        self._bytes_under_way = 0
        super().end(state, **{"current_file": ""} | values)
