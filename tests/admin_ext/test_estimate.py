"""How long the preview says it will take, and that it says nothing it cannot know."""

from datetime import timedelta
from typing import Any

import pytest
from django.urls import reverse
from django.utils import timezone

from admin_ext import estimate
from admin_ext.estimate import Took
from tests.make import make_job, make_session
from tests.people import ClientFor
from upload.models import Job
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

    assert estimate.seconds(known, 200, 200 * MB) == pytest.approx(40)


def test_jobs_with_files_of_like_size_tell() -> None:
    small = [Took(1000, 1000, 10.0)] * 20
    large = [Took(1, 1000 * MB, 5.0)] * 20

    assert estimate.seconds(small + large, 2000, 2000) == pytest.approx(20)
    assert estimate.seconds(small + large, 3, 3000 * MB) == pytest.approx(15)


def test_empty_files_take_their_time_by_number() -> None:
    assert estimate.seconds([Took(10, 0, 1.0)], 100, 0) == pytest.approx(10)


@pytest.mark.parametrize(("known", "files"), [([], 5), ([Took(1, 1, 1.0)], 0)])
def test_without_experience_or_files_nothing_is_known(
    known: list[Took], files: int
) -> None:
    assert estimate.seconds(known, files, 5) is None


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

    assert estimate.text("store", 10, 10 * MB) == ""


@pytest.mark.django_db
@pytest.mark.parametrize("verb", ["store", "remove"])
def test_the_preview_says_how_long(
    clerk: Any, client_for: ClientFor, django_assert_max_num_queries: Any, verb: str
) -> None:
    past(2, 12, 180, kind=verb)
    session = make_session(S.UPLOADING)
    url = reverse("admin:upload_uploadsession_verb", args=[session.pk, verb])
    client = client_for(clerk)

    with django_assert_max_num_queries(20):
        page = client.get(url).content.decode()

    assert "about 3 minutes" in page


@pytest.mark.django_db
@pytest.mark.parametrize("verb", ["store", "expire"])
def test_the_preview_says_nothing_that_it_cannot_know(
    clerk: Any, client_for: ClientFor, verb: str
) -> None:
    session = make_session(S.UPLOADING)
    url = reverse("admin:upload_uploadsession_verb", args=[session.pk, verb])

    assert 'data-figure="time"' not in client_for(clerk).get(url).content.decode()
