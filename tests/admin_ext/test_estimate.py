"""How long the preview says it will take, and that it says nothing it cannot know."""

from datetime import timedelta
from typing import Any

import pytest
from django.urls import reverse
from django.utils import timezone

from admin_ext import estimate
from admin_ext.estimate import Took, Work
from tests.make import make_job, make_session, run
from tests.people import ClientFor
from upload import jobs
from upload.models import Job, UploadSession
from upload.states import JobKind, JobState, SessionStatus

S = SessionStatus
MB = 10**6


def past(files: int, size_bytes: int, spent: float, **values: Any) -> Job:
    """Make a job that did so much in ``spent`` seconds, in one attempt."""
    end = timezone.now()
    known = {
        "kind": JobKind.STORE,
        "state": JobState.SUCCEEDED,
        "attempts": 1,
        "files_done": files,
        "bytes_done": size_bytes,
        "entered_at": end - timedelta(seconds=spent),
        "finished_at": end,
    } | values
    return make_job(make_session(), **known)


def test_twice_as_much_takes_twice_as_long() -> None:
    known = [Took(100, 100 * MB, 20.0)]

    assert estimate.seconds(known, Work(200, 200 * MB)) == pytest.approx(40)


def test_jobs_with_files_of_like_size_tell() -> None:
    small = [Took(1000, 1000, 10.0)] * 20
    large = [Took(1, 1000 * MB, 5.0)] * 20

    assert estimate.seconds(small + large, Work(2000, 2000)) == pytest.approx(20)
    assert estimate.seconds(small + large, Work(3, 3000 * MB)) == pytest.approx(15)


def test_empty_files_take_their_time_by_number() -> None:
    assert estimate.seconds([Took(10, 0, 1.0)], Work(100, 0)) == pytest.approx(10)


def test_jobs_of_as_many_files_tell_and_not_the_start_of_small_ones() -> None:
    small, large = [Took(1, 1, 0.5)] * 50, [Took(10_000, 10_000, 20.0)] * 10

    assert estimate.seconds(small + large, Work(20_000, 0)) == pytest.approx(40)


@pytest.mark.parametrize("files", [1, 100_000])
def test_jobs_of_far_fewer_or_more_files_tell_nothing(files: int) -> None:
    assert estimate.seconds([Took(500, 1, 1.0)], Work(files, 0)) is None


def test_without_experience_nothing_is_known() -> None:
    assert estimate.seconds([], Work(5, 5)) is None


def test_an_assumed_time_grows_with_files_and_bytes() -> None:
    assert estimate.assumed(Work(400, 100 * MB)) == pytest.approx(4)


@pytest.mark.parametrize(
    ("found", "words"),
    [
        (0.1, "a few seconds"),
        (30, "less than a minute"),
        (61, "about 1 minute"),
        (150, "about 2 minutes"),
        (7200, "about 2 hours"),
    ],
)
def test_the_time_is_told_roughly(found: float, words: str) -> None:
    assert estimate.words(found) == words


@pytest.mark.django_db
@pytest.mark.parametrize(
    "values",
    [
        {"kind": JobKind.COPY},
        {"state": JobState.FAILED},
        {"attempts": 2},
        {"entered_at": None},
    ],
)
def test_only_whole_jobs_of_the_kind_count(values: dict[str, Any]) -> None:
    past(10, 10 * MB, 60, **values)

    assert estimate.experience(JobKind.STORE) == []


def preview_of(client: Any, session: UploadSession, verb: str) -> str:
    url = reverse("admin:upload_uploadsession_verb", args=[session.pk, verb])
    return str(client.get(url).content.decode())


@pytest.mark.django_db
def test_a_removal_is_told_by_the_removals_alone_however_long_ago() -> None:
    session = make_session(S.UPLOADING)
    run(jobs.request(session, JobKind.REMOVE, None, reason="old"))
    for _number in range(3):
        past(10, 10, 60)

    assert [took.files for took in estimate.experience(JobKind.REMOVE)] == [2]


@pytest.mark.django_db
def test_the_bytes_of_what_is_removed_take_no_time(monkeypatch: Any) -> None:
    known = [Took(100, 100 * MB, 120.0)]
    monkeypatch.setattr(estimate, "experience", lambda kind: known)

    told = estimate.estimate("remove", 1, 100, 10**12)

    assert told and told.words == "about 2 minutes"


@pytest.mark.django_db
def test_many_sessions_take_as_long_as_as_many_jobs() -> None:
    past(2, 20, 30)

    told = estimate.estimate("store", 10, 20, 200)

    assert told and told.words == "about 5 minutes"


@pytest.mark.django_db
def test_the_preview_says_how_long(
    clerk: Any, client_for: ClientFor, django_assert_max_num_queries: Any
) -> None:
    past(2, 12, 180)
    session = make_session(S.UPLOADING)
    client = client_for(clerk)

    with django_assert_max_num_queries(20):
        page = preview_of(client, session, "store")

    assert "about 3 minutes" in page
    assert "By what such jobs took before" in page


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("verb", "pace"),
    [("store", "200 files and 50.00 MB a second"), ("remove", "200 files a second")],
)
def test_the_preview_says_what_it_assumes(
    clerk: Any, client_for: ClientFor, verb: str, pace: str
) -> None:
    page = preview_of(client_for(clerk), make_session(S.UPLOADING), verb)

    assert "a few seconds" in page
    assert f"{pace} are assumed" in page.replace("\xa0", " ")


@pytest.mark.django_db
def test_the_preview_says_nothing_of_what_is_done_at_once(
    clerk: Any, client_for: ClientFor
) -> None:
    page = preview_of(client_for(clerk), make_session(S.UPLOADING), "expire")

    assert 'data-figure="time"' not in page
