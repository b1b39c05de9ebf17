"""What a running job's row tells of its progress."""

import pytest

from tests.make import make_job, make_session
from upload import lease
from upload.models import Job
from upload.states import JobKind, JobState, SessionStatus

pytestmark = pytest.mark.django_db


@pytest.fixture
def work() -> lease.Work:
    """A claimed job of 1,000 bytes."""
    job = make_job(make_session(SessionStatus.UPLOADING), JobKind.STORE)
    Job.objects.filter(pk=job.pk).update(bytes_total=1000, files_total=3)
    claimed = lease.claim(Job.objects.get(pk=job.pk))
    assert claimed
    return claimed


def bytes_told(work: lease.Work) -> int:
    work.renew()
    return Job.objects.get(pk=work.job.pk).bytes_done


def test_progress_does_not_fall_back_when_the_next_file_starts(
    work: lease.Work,
) -> None:
    told = []
    for name in ("a", "b", "c"):
        work.start_file(name)
        told.append(bytes_told(work))
        work.beat(300)
        told.append(bytes_told(work))

    assert told == [0, 300, 300, 600, 600, 900]


def test_settling_a_batch_counts_its_bytes_once(work: lease.Work) -> None:
    work.start_file("a")
    work.beat(300)
    work.finish_files(1, 300)

    assert bytes_told(work) == 300


def test_a_file_that_is_read_twice_never_counts_for_more_than_all(
    work: lease.Work,
) -> None:
    work.beat(900)
    work.beat(900)

    assert bytes_told(work) == 1000


def test_at_its_end_a_job_counts_finished_files_alone(work: lease.Work) -> None:
    work.finish_files(1, 300)
    work.start_file("b")
    work.beat(200)

    work.end(JobState.CANCELLED)

    job = Job.objects.get(pk=work.job.pk)
    assert (job.files_done, job.bytes_done, job.current_file) == (1, 300, "")
