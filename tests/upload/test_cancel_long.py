"""Cancel in the middle of a 5 GiB file: within 5 s, a legal state, no partial file."""

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.utils import timezone

from tests.long_files import (
    GIB,
    MEMORY,
    files_below,
    run_beside,
    stored_session,
    temp_storage_elsewhere,
    uploaded_session,
    wait_until,
)
from tests.make import make_destination, make_job, make_session, run, set_status
from upload import jobs
from upload.models import Job
from upload.states import JobKind, JobState, SessionStatus

pytestmark = pytest.mark.django_db(transaction=True)
S = SessionStatus
FILE_BYTES = 5 * GIB


@pytest.fixture
def temp_elsewhere(storages_in_tmp: Path) -> Iterator[Path]:
    """Return the temp storage's folder, which is in another file system."""
    if not MEMORY.is_dir() or MEMORY.stat().st_dev == storages_in_tmp.stat().st_dev:
        pytest.skip(f"{MEMORY} is no file system of its own here.")
    with temp_storage_elsewhere() as folder:
        yield folder


def is_moving(job: Job) -> bool:
    return Job.objects.filter(pk=job.pk, bytes_done__gt=0).exists()


def cancel_under_way(job: Job, person: Any) -> float:
    """Run the job, cancel it once bytes move; return the seconds until it had ended."""
    with ThreadPoolExecutor(1) as pool:
        running = pool.submit(run_beside, job)
        wait_until(lambda: is_moving(job))
        asked = time.monotonic()
        jobs.cancel(job, person)
        running.result(timeout=60)
    job.refresh_from_db()
    return time.monotonic() - asked


def test_a_long_store_across_file_systems_is_cancelled(
    clerk: Any, temp_elsewhere: Path, tmp_path: Path
) -> None:
    session = uploaded_session(FILE_BYTES)
    job = jobs.request(session, JobKind.STORE, clerk)

    seconds = cancel_under_way(job, clerk)

    session.refresh_from_db()
    assert seconds < 5
    assert (job.state, session.status) == (JobState.CANCELLED, S.COPYING_FAILED)
    assert files_below(tmp_path / "uploaded") == []
    assert [path.stat().st_size for path in files_below(temp_elsewhere)] == [FILE_BYTES]


def test_a_long_copy_is_cancelled(clerk: Any, tmp_path: Path) -> None:
    session = stored_session(FILE_BYTES)
    destination = make_destination(tmp_path / "destinations" / "one")
    before = set(files_below(tmp_path / "destinations"))
    job = jobs.request(session, JobKind.COPY, clerk, destination=destination)

    seconds = cancel_under_way(job, clerk)

    session.refresh_from_db()
    assert seconds < 5
    assert (job.state, session.status) == (JobState.CANCELLED, S.STORED)
    assert set(files_below(tmp_path / "destinations")) == before
    assert not session.filecopy_set.exists()


def test_a_cancelled_copy_counts_no_dropped_bytes_and_can_be_asked_for_again(
    clerk: Any, tmp_path: Path
) -> None:
    destination = make_destination(tmp_path / "destinations" / "one")
    session = stored_session(FILE_BYTES)
    job = jobs.request(session, JobKind.COPY, clerk, destination=destination)
    cancel_under_way(job, clerk)

    again = jobs.retry(job, clerk)

    assert (job.files_done, job.bytes_done, job.lease_owner) == (0, 0, "")
    assert list(job.item_set.values_list("outcome", flat=True)) == ["pending"]
    assert (again.state, again.destination) == (JobState.QUEUED, destination)


def test_a_job_between_two_attempts_is_cancelled_now_and_not_at_its_next_run(
    clerk: Any,
) -> None:
    session = make_session(S.UPLOADING)
    set_status(session, S.COPYING_IN_PROGRESS)
    an_hour = timezone.now() + timedelta(hours=1)
    waiting = {"attempts": 1, "entered_at": timezone.now(), "next_run_at": an_hour}
    job = make_job(session, JobKind.STORE, **waiting)

    jobs.cancel(job, clerk)
    run(job)

    session.refresh_from_db()
    assert (job.state, session.status) == (JobState.CANCELLED, S.COPYING_FAILED)
