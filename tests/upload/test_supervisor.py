"""The worker command, as real processes: jobs run, the dead are replaced, all end."""

import os
import signal
import subprocess
import sys
import time
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from django.core.files.uploadedfile import UploadedFile

from tests.codebase import ROOT
from tests.make import make_destination, make_session
from upload import jobs, queues
from upload.models import Job, UploadSession, WorkerBeat
from upload.states import JobKind, JobState, SessionStatus

pytestmark = pytest.mark.skipif(
    not sys.platform.startswith("linux"), reason="reads /proc and uses prctl"
)
BIG_BYTES = 128 * 1024 * 1024  # a copy of it lasts far longer than a poll


@dataclass
class Worker:
    process: "subprocess.Popen[bytes]"
    mark: str  # stands in the environment of each of its processes

    def living(self) -> list[int]:
        return [int(p.name) for p in Path("/proc").glob("[0-9]*") if self._is_ours(p)]

    def _is_ours(self, process: Path) -> bool:
        try:
            return self.mark.encode() in (process / "environ").read_bytes()
        except OSError:
            return False


def wait_for(condition: Callable[[], Any], seconds: float = 30) -> Any:
    """Return what the condition gives once it is true; fail at the deadline."""
    until = time.monotonic() + seconds
    while not (found := condition()):
        if time.monotonic() > until:
            pytest.fail(f"Not true within {seconds} s: {condition}")
        time.sleep(0.01)
    return found


@pytest.fixture
def worker(program_environment: dict[str, str], tmp_path: Path) -> Iterator[Worker]:
    mark = f"MUNIMENT_MARK={uuid.uuid4()}"
    environment = program_environment | {
        **dict([mark.split("=")]),
        "JOB_WORKERS": "1",
        "WORKER_SILENCE_SECONDS": "5",
    }
    with (tmp_path / "worker.log").open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, "manage.py", "run_worker"],
            cwd=ROOT,
            env=environment,
            stderr=log,
        )
    worker = Worker(process, mark)
    try:
        wait_for(lambda: process.poll() or WorkerBeat.objects.count() == 2)
        assert process.poll() is None, (tmp_path / "worker.log").read_text()
        yield worker
    finally:
        process.kill()
        process.wait()
        wait_for(lambda: not worker.living())


def main_process(worker: Worker, queue: str) -> int:
    """Return the pid that leads the queue's process group, 0 where there is none."""
    name = f"Q_CLUSTER_NAME={queue}".encode()
    for pid in worker.living():
        try:
            ours = name in Path(f"/proc/{pid}/environ").read_bytes()
            if ours and os.getpgid(pid) == pid:
                return pid
        except OSError:
            continue
    return 0


def stored_big_session(folder: Path) -> UploadSession:
    session = UploadSession.new_session()
    with (folder / "big").open("w+b") as file:
        file.truncate(BIG_BYTES)
        session.add_temp_file(UploadedFile(file, "big.wav", size=BIG_BYTES))
    session.make_uploads_permanent()
    return session


def start_big_copy(folder: Path) -> Job:
    """Return a copy that a worker has just begun."""
    session = stored_big_session(folder)
    destination = make_destination(folder / "destinations" / "archive")
    job = jobs.request(session, JobKind.COPY, None, destination=destination)
    wait_for(lambda: Job.objects.filter(pk=job.pk, planned_at__isnull=False).exists())
    job.refresh_from_db()
    assert job.state == JobState.RUNNING
    return job


def busy_pid(job: Job) -> int:
    return int(job.lease_owner.rpartition(":")[2])


def has_succeeded(job: Job) -> bool:
    job.refresh_from_db()
    return job.state == JobState.SUCCEEDED


def test_a_job_runs_within_two_seconds_of_its_request(worker: Worker) -> None:
    session = make_session(SessionStatus.UPLOADING)

    job = jobs.request(session, JobKind.STORE, None)

    wait_for(lambda: has_succeeded(job))
    assert job.started_at and (job.started_at - job.created_at).total_seconds() < 2


def test_a_job_goes_on_when_its_busy_worker_is_killed(
    worker: Worker, tmp_path: Path
) -> None:
    job = start_big_copy(tmp_path)

    os.kill(busy_pid(job), signal.SIGKILL)

    wait_for(lambda: Job.objects.get(pk=job.pk).attempts == 2, seconds=10)
    wait_for(lambda: has_succeeded(job))


def test_a_cluster_whose_idle_worker_was_killed_is_replaced(
    worker: Worker, tmp_path: Path
) -> None:
    job = start_big_copy(tmp_path)
    only_worker = busy_pid(job)
    wait_for(lambda: has_succeeded(job))

    os.kill(only_worker, signal.SIGKILL)

    later = jobs.request(make_session(SessionStatus.UPLOADING), JobKind.STORE, None)
    wait_for(lambda: has_succeeded(later), seconds=60)


def test_nothing_is_left_of_a_worker_that_is_asked_to_end(
    worker: Worker, tmp_path: Path
) -> None:
    job = start_big_copy(tmp_path)

    worker.process.terminate()

    assert worker.process.wait(timeout=30) == 0
    assert worker.living() == []
    job.refresh_from_db()
    assert job.state in {JobState.QUEUED, JobState.SUCCEEDED}
    assert job.attempts == (0 if job.state == JobState.QUEUED else 1)


def test_nothing_is_left_of_a_worker_that_is_killed(worker: Worker) -> None:
    worker.process.kill()

    wait_for(lambda: not worker.living(), seconds=10)


def test_a_cluster_whose_main_process_is_killed_is_replaced(worker: Worker) -> None:
    first = main_process(worker, queues.LONG)

    os.kill(first, signal.SIGKILL)

    wait_for(lambda: main_process(worker, queues.LONG) not in {0, first})
    job = jobs.request(make_session(SessionStatus.UPLOADING), JobKind.STORE, None)
    wait_for(lambda: has_succeeded(job))
