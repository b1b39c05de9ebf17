"""Why a job failed, in the language of whoever reads the page."""

import shutil
from pathlib import Path
from typing import Any

import pytest
from django.urls import reverse
from django.utils import translation
from django.utils.html import escape

from portal.models import User
from tests.make import make_destination, make_session, run
from tests.people import ClientFor
from tests.upload.ordering import ordered, ran
from upload import holding, jobs
from upload.models import BulkOrder, Destination, Job
from upload.probe import probe
from upload.states import JobKind, OrderVerb
from upload.states import SessionStatus as S

pytestmark = pytest.mark.django_db
WRITTEN = "Destination “Box” is not enabled. Choose another."


@pytest.fixture(autouse=True)
def language_as_before() -> Any:
    """A request leaves its language to its thread."""
    with translation.override(translation.get_language()):
        yield


@pytest.fixture
def failed(tmp_path: Path) -> Job:
    """Return a copy that failed in a worker, which speaks English."""
    place = make_destination(tmp_path / "destinations" / "one", "Box")
    session = make_session(S.STORED)
    job = jobs.request(session, JobKind.COPY, None, destination=place)
    type(place).objects.update(enabled=False)
    return run(job)


def pages(job: Job) -> dict[str, str]:
    return {
        "job": reverse("admin:upload_job_change", args=[job.pk]),
        "session": reverse("admin:upload_uploadsession_change", args=[job.session_id]),
        "dashboard": reverse("admin:index"),
        "events": reverse("admin:upload_sessionevent_changelist"),
    }


@pytest.mark.parametrize("page", ["job", "session", "dashboard", "events"])
def test_a_reason_is_told_in_the_language_of_the_page(
    failed: Job, superuser: User, client_for: ClientFor, page: str
) -> None:
    superuser.language = "ja"
    superuser.save()
    with translation.override("ja"):
        expected = translation.gettext(
            "Destination “%(name)s” is not enabled. Choose another."
        ) % {"name": "Box"}

    shown = client_for(superuser).get(pages(failed)[page]).content.decode()

    assert escape(expected) in shown
    assert WRITTEN not in shown


def test_the_report_of_a_job_keeps_the_words_that_were_written(
    failed: Job, superuser: User, client_for: ClientFor
) -> None:
    superuser.language = "ja"
    superuser.save()
    url = reverse("admin:upload_job_report", args=[failed.pk, "json"])

    answer: Any = client_for(superuser).get(url)

    assert WRITTEN in answer.getvalue().decode()


@pytest.fixture
def skipped(superuser: User) -> BulkOrder:
    """Return an order whose one session was skipped by a worker, in English."""
    session = make_session(S.STORED)
    holding.place(session, superuser, "Court case")
    order = ordered(OrderVerb.LIFT, superuser)
    holding.lift_all(session, superuser, "Over")
    return ran(order)


def test_what_became_of_each_session_is_told_in_the_language_of_the_page(
    skipped: BulkOrder, superuser: User, client_for: ClientFor
) -> None:
    superuser.language = "ja"
    superuser.save()
    with translation.override("ja"):
        expected = translation.gettext("under no hold")
    url = reverse("admin:upload_bulkorder_change", args=[skipped.pk])

    shown = client_for(superuser).get(url).content.decode()

    assert expected in shown
    assert "under no hold" not in shown


def test_the_report_of_a_bulk_order_keeps_the_words_that_were_written(
    skipped: BulkOrder, superuser: User, client_for: ClientFor
) -> None:
    superuser.language = "ja"
    superuser.save()
    url = reverse("admin:upload_bulkorder_report", args=[skipped.pk, "csv"])

    answer: Any = client_for(superuser).get(url)

    assert "under no hold" in answer.getvalue().decode()


@pytest.mark.parametrize("page", ["front", "destination"])
def test_what_a_probe_found_is_told_in_the_language_of_the_page(
    superuser: User, client_for: ClientFor, tmp_path: Path, page: str
) -> None:
    place: Destination = make_destination(tmp_path / "destinations" / "one", "Box")
    shutil.rmtree(place.folder)
    probe(place)
    superuser.language = "ja"
    superuser.save()
    with translation.override("ja"):
        expected = place.probe_error_shown
    change = reverse("admin:upload_destination_change", args=[place.pk])
    url = reverse("admin:index") if page == "front" else change

    shown = client_for(superuser).get(url).content.decode()

    assert escape(expected) in shown
    assert escape(place.last_probe["error"]) not in shown
