"""The report of a whole job: every file, as data, however many there are."""

import csv
import io
import json
import tracemalloc
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from tests.make import make_destination, make_job, make_session, run
from upload import job_report, jobs
from upload.models import Job, JobItem
from upload.states import ItemOutcome, JobKind, JobState, SessionStatus

pytestmark = pytest.mark.django_db
S = SessionStatus


def planned_job(count: int, **values: Any) -> Job:
    """Return a store job with ``count`` items, all alike but for their names."""
    job = make_job(make_session(S.UPLOADING), JobKind.STORE)
    JobItem.objects.bulk_create(
        [
            JobItem(job=job, file_uuid=UUID(int=n), name=f"{n:06}.tiff", **values)
            for n in range(count)
        ],
        batch_size=2000,
    )
    return job


def stored_job(clerk: Any) -> Job:
    session = make_session(S.UPLOADING, {"a.txt": b"alpha", "b.pdf": b"%PDF-1"})
    return run(jobs.request(session, JobKind.STORE, clerk))


def read_json(job: Job, *, with_events: bool = True) -> dict[str, Any]:
    report: dict[str, Any] = json.loads(
        "".join(job_report.as_json(job, with_events=with_events))
    )
    return report


def read_csv(job: Job) -> list[dict[str, str]]:
    text = "".join(job_report.as_csv(job)).removeprefix("\ufeff")
    return list(csv.DictReader(io.StringIO(text, newline="")))


@pytest.mark.django_db(transaction=True)
def test_the_report_of_a_store_tells_job_files_and_events(clerk: Any) -> None:
    job = stored_job(clerk)

    report = read_json(job)

    facts = report["job"]
    assert (facts["state"], facts["files_done"], facts["attempts"]) == (
        "succeeded",
        2,
        1,
    )
    assert (facts["requester"], facts["outcomes"]) == ("clerk", {"done": 2})
    assert [(i["name"], i["size_bytes"], i["outcome"]) for i in report["items"]] == [
        ("a.txt", 5, "done"),
        ("b.pdf", 6, "done"),
    ]
    assert report["events"][-1]["code"] == "upload.session.stored"


@pytest.mark.django_db(transaction=True)
def test_a_stored_file_tells_where_it_was_and_is(clerk: Any) -> None:
    job = stored_job(clerk)
    file = job.session.permuploadedfile_set.earliest("pk") if job.session else None
    assert file

    item = read_json(job)["items"][0]

    assert (item["source_storage"], item["target_storage"]) == (
        "temporary",
        "permanent",
    )
    assert (item["target"], item["sha256"]) == (file.file_upload.name, file.sha256)
    assert item["file"] == str(file.uuid)


@pytest.mark.django_db(transaction=True)
def test_a_copied_file_tells_the_folder_and_its_path_there(
    clerk: Any, tmp_path: Path
) -> None:
    destination = make_destination(tmp_path / "destinations" / "one")
    session = make_session(S.STORED)

    job = run(jobs.request(session, JobKind.COPY, clerk, destination=destination))

    item = read_csv(job)[0]
    assert (item["source_storage"], item["name"]) == ("permanent", "a.txt")
    assert (Path(item["target_storage"]) / item["target"]).read_bytes() == b"alpha"


@pytest.mark.parametrize(
    ("target", "storage"), [("permanent", "permanent"), ("", "temporary")]
)
def test_a_removed_file_tells_where_it_was(target: str, storage: str) -> None:
    job = planned_job(1, target_key=target, source_key="ab/cd")
    Job.objects.update(kind=JobKind.REMOVE)
    job.refresh_from_db()

    item = read_json(job)["items"][0]

    assert (item["source_storage"], item["source"]) == (storage, "ab/cd")
    assert (item["target_storage"], item["target"]) == ("", "")


def test_a_job_without_a_plan_has_an_empty_list_and_a_header() -> None:
    job = planned_job(0)

    assert read_json(job)["items"] == []
    assert "".join(job_report.as_csv(job)).strip("\ufeff\r\n").split(",") == list(
        job_report.ITEM_FIELDS
    )


def test_events_are_left_out_where_they_are_not_asked_for() -> None:
    assert "events" not in read_json(planned_job(1), with_events=False)


@pytest.mark.parametrize("count", [1999, 2000, 2001])
def test_no_file_is_lost_between_two_pages(count: int) -> None:
    job = planned_job(count)

    names = [item["name"] for item in read_json(job)["items"]]

    assert names == [f"{n:06}.tiff" for n in range(count)]
    assert [item["name"] for item in read_csv(job)] == names


def test_no_cell_is_a_formula_and_json_keeps_the_text_as_it_is() -> None:
    job = planned_job(1, outcome=ItemOutcome.FAILED, error="=cmd()|' /C calc'!A0\n,\"")
    JobItem.objects.update(name="@SUM(A1).txt")

    cells, item = read_csv(job)[0], read_json(job)["items"][0]

    assert (cells["name"], cells["error"][:2]) == ("'@SUM(A1).txt", "'=")
    assert cells["error"][1:] == item["error"] == "=cmd()|' /C calc'!A0\n,\""


def peak_bytes(pieces: Any) -> int:
    """Return the most memory taken while the pieces are read and thrown away."""
    tracemalloc.start()
    try:
        for _piece in pieces:
            pass
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("form", ["csv", "json"])
def test_the_memory_of_a_report_does_not_grow_with_the_job(form: str) -> None:
    def pieces(job: Job) -> Any:
        with_events = job_report.as_json(job, with_events=True)
        return job_report.as_csv(job) if form == "csv" else with_events

    few, many = planned_job(4000), planned_job(12_000)

    assert peak_bytes(pieces(many)) < 1.3 * peak_bytes(pieces(few))


def test_a_report_takes_a_query_for_two_thousand_files(
    django_assert_max_num_queries: Any,
) -> None:
    job = planned_job(10_000, outcome=ItemOutcome.DONE)

    with django_assert_max_num_queries(10):
        pieces = list(job_report.as_json(job, with_events=True))

    assert len(pieces) > 5


def test_a_report_holds_no_transaction_open_between_two_pieces(clerk: Any) -> None:
    job = planned_job(2001)
    pieces = job_report.as_csv(job)
    next(pieces)
    next(pieces)

    JobItem.objects.filter(name="002000.tiff").update(error="found late")

    assert "found late" in next(pieces)


def test_the_report_of_a_job_that_waits_says_when_it_runs() -> None:
    job = planned_job(0)

    facts = read_json(job)["job"]

    assert (facts["state"], facts["max_attempts"]) == (JobState.QUEUED, 5)
    assert facts["next_run_at"].startswith(str(job.next_run_at.year))
