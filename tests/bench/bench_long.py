"""One 5 GiB file across file systems: memory, signs of life, cancel; 100,000 files.

The source is sparse and in memory, so that what is measured is the worker. Takes 5 GiB
of the disk below DATA_DIR while it runs.
"""

import os
import shutil
import threading
import time
import tracemalloc
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from itertools import pairwise
from pathlib import Path
from uuid import uuid4

from django.contrib.auth import get_user_model
from django.db import connection, connections
from django.test.utils import CaptureQueriesContext

from tests.bench import memory
from tests.bench.sessions import session_of
from tests.long_files import (
    GIB,
    digest_of_zeros,
    files_below,
    run_beside,
    temp_storage_elsewhere,
    uploaded_session,
    wait_until,
)
from upload import direct, execution, job_report, jobs
from upload.disk import STAGING_FOLDER
from upload.models import Job, JobItem, UploadSession
from upload.states import JobKind, JobState
from upload.storage import UploadedFileStorage, local_path

type Row = tuple[str, str, str, bool]

FILE_BYTES = 5 * GIB
MEMORY_LIMIT_BYTES = 256 << 20
LONGEST_SILENCE_SECONDS = 5.0
LONGEST_SECONDS = 600
ITEMS = 100_000


def run() -> list[Row]:
    _require_room()
    with temp_storage_elsewhere():
        rows = [*_store(), *_cancel()]
    return [*rows, *_many(), *_report()]


def _require_room() -> None:
    free = shutil.disk_usage(os.environ["DATA_DIR"]).free
    if free < 2 * FILE_BYTES:
        raise SystemExit(
            f"{free} bytes are free below DATA_DIR, but the long file needs "
            f"{2 * FILE_BYTES}. Make room or set TMPDIR to another disk."
        )


class Poller:
    """Looks at a job as a page does, and notes when its row told something new."""

    def __init__(self, job: Job) -> None:
        self._job = job
        self._ended = threading.Event()
        self._told: dict[str, list[float]] = {"heartbeat_at": [], "bytes_done": []}
        self._seen: dict[str, object] = {}

    def _look(self) -> None:
        row = Job.objects.filter(pk=self._job.pk).values(*self._told).get()
        for name, value in row.items():
            if self._seen.get(name) != value:
                self._seen[name] = value
                self._told[name].append(time.monotonic())

    def _watch(self) -> None:
        try:
            while not self._ended.wait(0.1):
                self._look()
        finally:
            connections.close_all()

    @contextmanager
    def watching(self) -> Iterator[None]:
        thread = threading.Thread(target=self._watch)
        thread.start()
        try:
            yield
        finally:
            self._ended.set()
            thread.join()

    def longest_silence(self, name: str, start: float, end: float) -> float:
        times = [start, *self._told[name], end]
        return max(b - a for a, b in pairwise(times))


def _store() -> list[Row]:
    session = uploaded_session(FILE_BYTES, digest_of_zeros(FILE_BYTES))
    job = execution.insert_job(session, JobKind.STORE)
    poller, before = Poller(job), memory.forget_peak()
    start = time.monotonic()
    with poller.watching():
        execution.execute(Job.objects.get(pk=job.pk), last_attempt=True)
    end, grown = time.monotonic(), memory.own_bytes("VmHWM") - before
    job.refresh_from_db()
    _delete(_bytes_of(session))
    if job.state != JobState.SUCCEEDED:
        raise SystemExit(f"The long file could not be stored: {job.error}")
    return [
        _memory_row(grown, end - start),
        *(
            _silence_row(name, poller.longest_silence(name, start, end))
            for name in ("heartbeat_at", "bytes_done")
        ),
    ]


def _memory_row(grown: int, seconds: float) -> Row:
    return (
        "store 1 x 5 GiB across file systems: memory of the worker grows by",
        f"{grown / (1 << 20):.0f} MiB (in {seconds:.0f} s)",
        "at most 256 MiB",
        grown <= MEMORY_LIMIT_BYTES,
    )


def _silence_row(name: str, seconds: float) -> Row:
    return (
        f"store 1 x 5 GiB: longest time without a new {name}",
        f"{seconds:.1f} s",
        "at most 5 s",
        seconds <= LONGEST_SILENCE_SECONDS,
    )


def _bytes_of(session: UploadSession) -> list[Path]:
    """Return what permanent storage holds of the session, staging files included."""
    root = Path(str(local_path(UploadedFileStorage(), "")))
    own = {session.uuid.hex, STAGING_FOLDER}
    return [path for path in files_below(root) if own & set(path.parts)]


def _delete(files: list[Path]) -> None:
    for path in files:
        path.unlink()


def _cancel() -> list[Row]:
    person = get_user_model().objects.create_superuser(f"bench-{uuid4()}")
    session = uploaded_session(FILE_BYTES)
    job = execution.insert_job(session, JobKind.STORE)
    with ThreadPoolExecutor(1) as pool:
        running = pool.submit(run_beside, job)
        moved = Job.objects.filter(pk=job.pk, bytes_done__gt=GIB)
        wait_until(moved.exists, within_seconds=120)
        asked = time.monotonic()
        jobs.cancel(job, person)
        running.result()
    seconds = time.monotonic() - asked
    job.refresh_from_db()
    left = _bytes_of(session)
    _delete(left)
    clean = job.state == JobState.CANCELLED and not left
    return [
        (
            "cancel a store in the middle of 5 GiB: until it has ended",
            f"{seconds:.1f} s, {len(left)} files left",
            "at most 5 s, no file",
            clean and seconds <= LONGEST_SILENCE_SECONDS,
        )
    ]


def _many() -> list[Row]:
    """Store very many small files on one file system."""
    session = session_of(ITEMS, 4096)
    before, start = memory.forget_peak(), time.monotonic()
    direct.run_now(session, JobKind.STORE)
    seconds, peak = time.monotonic() - start, memory.own_bytes("VmHWM")
    _delete(_bytes_of(session))
    return [
        (
            "store 100,000 x 4 KiB: memory of the worker",
            f"{peak / (1 << 20):.0f} MiB, {before / (1 << 20):.0f} before",
            "at most 512 MiB",
            peak <= MEMORY_LIMIT_BYTES * 2,
        ),
        (
            "store 100,000 x 4 KiB: time",
            f"{seconds:.0f} s",
            "at most 600 s",
            seconds <= LONGEST_SECONDS,
        ),
    ]


def _report() -> list[Row]:
    job = _planned_job()
    rows = []
    for form, pieces in (
        ("CSV", job_report.as_csv(job)),
        ("JSON", job_report.as_json(job, with_events=True)),
    ):
        start = time.perf_counter()
        queries, peak = _consume(pieces)
        rows.append(
            (
                f"{form} report of a job of 100,000 files: memory, queries",
                f"{peak / (1 << 20):.0f} MiB, {queries} "
                f"({time.perf_counter() - start:.1f} s traced)",
                "at most 16 MiB, 60",
                peak <= 16 << 20 and queries <= 60,
            )
        )
    return rows


def _planned_job() -> Job:
    """Return a job whose plan names many files, of which no bytes are needed."""
    job: Job = execution.insert_job(uploaded_session(1), JobKind.STORE)
    JobItem.objects.bulk_create(
        (
            JobItem(job=job, file_uuid=uuid4(), name=f"{n:06}.tiff", sha256="0" * 64)
            for n in range(ITEMS)
        ),
        batch_size=2000,
    )
    return job


def _consume(pieces: Iterator[str]) -> tuple[int, int]:
    """Read and throw away the pieces; return queries made and most memory taken."""
    with CaptureQueriesContext(connection) as queries:
        tracemalloc.start()
        for _piece in pieces:
            pass
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
    return len(queries), peak
