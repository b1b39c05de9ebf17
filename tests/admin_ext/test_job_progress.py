"""What a job's page tells while the job runs: rate, time left, attempts, files."""

import re
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.urls import reverse
from django.utils import timezone

from portal.models import User
from tests.browsing import PageFor
from tests.make import make_job, make_session
from tests.people import ClientFor
from upload.models import Job, JobItem
from upload.states import ItemOutcome, JobKind, JobState, SessionStatus

pytestmark = pytest.mark.django_db
MB = 1_000_000


def running_job(**values: Any) -> Job:
    """Return a job that has run for 100 s and has moved 105 of its 1,000 MB."""
    now = timezone.now()
    usual = {
        "state": JobState.RUNNING,
        "attempts": 1,
        "started_at": now - timedelta(seconds=100),
        "heartbeat_at": now,
        "files_total": 10,
        "files_done": 1,
        "bytes_total": 1000 * MB,
        "bytes_done": 105 * MB,
    }
    session = make_session(SessionStatus.UPLOADING)
    return make_job(session, JobKind.STORE, **usual | values)


def poll(client: Any, job: Job, **query: str) -> dict[str, Any]:
    url = reverse("admin:upload_job_progress", args=[job.pk])
    figures: dict[str, Any] = client.get(url, query).json()
    return figures


def change(job: Job, **values: Any) -> None:
    Job.objects.filter(pk=job.pk).update(**values)


def ten_seconds_on(job: Job) -> datetime:
    assert job.heartbeat_at
    return job.heartbeat_at + timedelta(seconds=10)


def test_the_first_figures_tell_the_mean_rate(
    auditor: User, client_for: ClientFor
) -> None:
    texts = poll(client_for(auditor), running_job())["texts"]

    assert re.fullmatch(r"1\.0\d MB per second on average", texts["rate"])
    assert texts["time_left"] == "about 14 min"
    assert (texts["attempts"], texts["next_run"]) == ("1 of 5", "-")


def test_two_polls_tell_the_recent_rate(auditor: User, client_for: ClientFor) -> None:
    client, job = client_for(auditor), running_job()
    first = poll(client, job)
    change(job, bytes_done=605 * MB, heartbeat_at=ten_seconds_on(job))

    texts = poll(client, job, since=first["mark"])["texts"]

    assert (texts["rate"], texts["time_left"]) == ("50.00 MB per second", "about 7 s")


def test_a_stalled_job_moves_at_nothing_a_second(
    auditor: User, client_for: ClientFor
) -> None:
    client, job = client_for(auditor), running_job()
    first = poll(client, job)
    change(job, heartbeat_at=ten_seconds_on(job))

    texts = poll(client, job, since=first["mark"])["texts"]

    assert (texts["rate"], texts["time_left"]) == ("0 B per second", "-")


@pytest.mark.parametrize(
    "junk", ["", "x", "1-2", "1-2-3-4", "1--3", "9" * 99, "²-1-1", "1-2-\x00", "-1-2-3"]
)
def test_what_a_page_sends_back_is_not_trusted(
    junk: str, auditor: User, client_for: ClientFor
) -> None:
    client, job = client_for(auditor), running_job()

    figures = poll(client, job, since=junk, top=junk)

    assert figures["texts"]["rate"].endswith("on average")
    assert figures["percent"] <= 100


def test_progress_does_not_run_back_when_an_attempt_restarts_a_file(
    auditor: User, client_for: ClientFor
) -> None:
    client, job = client_for(auditor), running_job(bytes_done=700 * MB)
    first = poll(client, job)
    change(job, attempts=2, bytes_done=100 * MB)

    second = poll(client, job, since=first["mark"], top=first["top"])

    assert (first["percent"], second["percent"]) == (70, 70)
    assert second["texts"]["bytes"] == "700.00 MB of 1.00 GB"
    assert second["texts"]["note"].startswith("Attempt 2 started.")
    assert "Attempt 2 started." in second["texts"]["announcement"]


def test_the_rate_after_a_restart_is_not_counted_from_the_attempt_before(
    auditor: User, client_for: ClientFor
) -> None:
    client, job = client_for(auditor), running_job()
    first = poll(client, job)
    change(job, attempts=2, heartbeat_at=ten_seconds_on(job))

    texts = poll(client, job, since=first["mark"])["texts"]

    assert texts["rate"].endswith("on average")


def test_the_end_is_told_as_it_is_whatever_was_shown_before(
    auditor: User, client_for: ClientFor
) -> None:
    job = running_job(state=JobState.CANCELLED, finished_at=timezone.now())

    figures = poll(client_for(auditor), job, top=f"9-{900 * MB}")

    assert (figures["percent"], figures["ended"]) == (10, True)


def test_a_silent_worker_is_told_of(auditor: User, client_for: ClientFor) -> None:
    silent = running_job(heartbeat_at=timezone.now() - timedelta(seconds=30))

    texts = poll(client_for(auditor), silent)["texts"]

    assert "no sign of life" in texts["note"]
    assert texts["heartbeat"].startswith("3")
    assert (texts["rate"], texts["time_left"]) == ("-", "-")


def test_a_job_that_waits_for_a_retry_says_why_and_when(
    auditor: User, client_for: ClientFor
) -> None:
    at = timezone.now() + timedelta(seconds=40.5)
    job = running_job(state=JobState.QUEUED, next_run_at=at, error="disk full")

    texts = poll(client_for(auditor), job)["texts"]

    assert texts["next_run"] in {"in 40 s", "in 39 s"}
    assert texts["error"] == "The attempt before failed: disk full"
    assert texts["note"].startswith("Attempt 1 did not finish")


def test_a_cancel_is_told_of_until_it_is_done(
    auditor: User, client_for: ClientFor
) -> None:
    job = running_job(cancel_requested_at=timezone.now())

    assert poll(client_for(auditor), job)["texts"]["note"] == "Asked to stop."


def test_a_screen_reader_is_not_told_each_figure(
    auditor: User, client_for: ClientFor
) -> None:
    client, job = client_for(auditor), running_job()

    said = []
    for done in (260, 300, 490, 510):
        change(job, bytes_done=done * MB)
        said.append(poll(client, job)["texts"]["announcement"])

    assert said == ["Running, 25 %."] * 3 + ["Running, 50 %."]


def test_a_poll_costs_the_same_for_few_and_many_files(
    auditor: User, client_for: ClientFor, django_assert_max_num_queries: Any
) -> None:
    client, job = client_for(auditor), running_job()
    items = [JobItem(job=job, file_uuid=job.uuid, name=f"{n}") for n in range(3000)]
    JobItem.objects.bulk_create(items)

    with django_assert_max_num_queries(7):
        figures = poll(client, job)

    assert figures["outcomes"] == {"pending": 3000}


def test_the_part_with_the_files_can_be_fetched_alone(
    auditor: User, nobody: User, client_for: ClientFor
) -> None:
    job = running_job()
    JobItem.objects.create(job=job, file_uuid=job.uuid, name="<b>.tiff", outcome="done")
    url = reverse("admin:upload_job_items", args=[job.pk])

    part = client_for(auditor).get(url).content.decode()

    assert part.strip().startswith('<section id="items">')
    assert "&lt;b&gt;.tiff" in part
    assert client_for(nobody).get(url).status_code == 403
    assert client_for(auditor).post(url).status_code == 405


@pytest.mark.django_db(transaction=True)
def test_in_a_browser_files_and_bar_follow_without_a_reload(
    auditor: User, page_for: PageFor
) -> None:
    job, page = running_job(bytes_done=700 * MB), page_for(auditor)
    JobItem.objects.create(job=job, file_uuid=job.uuid, name="one.tiff")
    page.goto(reverse("admin:upload_job_change", args=[job.pk]))
    page.evaluate("window.stayed = true")

    JobItem.objects.update(outcome=ItemOutcome.DONE)
    change(job, attempts=2, bytes_done=0, heartbeat_at=timezone.now())

    page.locator("#items tbody", has_text="Done").wait_for()
    page.locator("[role=status]", has_text="Attempt 2 started.").wait_for()
    bar = page.evaluate("[document.querySelector('progress').value, window.stayed]")
    assert bar == [70, True]
