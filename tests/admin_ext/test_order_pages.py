"""The page of a bulk order, its reports, its stop; and removals decided all at once."""

import csv
import io
import json
from typing import Any

import pytest
from django.urls import reverse

from admin_ext.purposes import PURPOSES
from portal.models import User
from tests.admin_ext.choosing import texts
from tests.admin_ext.ordering import ran, url
from tests.make import make_session
from tests.people import ClientFor
from upload import holding, jobs, orders
from upload.models import BulkOrder, Job, UploadSession
from upload.orders import Wish
from upload.states import JobKind, JobState, OrderState
from upload.states import SessionStatus as S

pytestmark = pytest.mark.django_db
PEOPLE = ["uploader", "nobody", "manager", "auditor"]


@pytest.fixture
def order(clerk: User) -> BulkOrder:
    """An order of the clerk that waits, on three sessions of which one is held."""
    sessions = [make_session(S.UPLOADING) for _n in range(3)]
    holding.place(sessions[0], None, "=Case 12")
    made = orders.draft("expire", UploadSession.objects.all(), clerk)
    orders.confirm(made, clerk, Wish("Sent twice"))
    return made


def test_the_page_tells_of_each_session(
    order: BulkOrder, auditor: User, client_for: ClientFor
) -> None:
    ran(order)

    page = client_for(auditor).get(url(order, "change"))

    told = {outcome.value: count for outcome, count in page.context["outcomes"]}
    assert told == {"done": 2, "skipped": 1}
    assert page.context["figures"]["texts"]["sessions"] == "3 of 3"
    text = page.content.decode()
    assert "It is under legal hold." in text
    assert str(PURPOSES["upload.bulkorder"].one) in text
    assert page.context["may_cancel"] is False


def test_the_sessions_can_be_filtered_by_what_became_of_them(
    order: BulkOrder, clerk: User, client_for: ClientFor
) -> None:
    ran(order)

    part = client_for(clerk).get(url(order, "items"), {"outcome": "skipped"})

    assert [item.outcome for item in part.context["items"].rows] == ["skipped"]


def test_the_progress_is_told_to_the_script(
    order: BulkOrder, clerk: User, client_for: ClientFor
) -> None:
    told = client_for(clerk).get(url(order, "progress")).json()

    assert (told["state"], told["percent"], told["ended"]) == ("queued", 33, False)
    assert told["outcomes"] == {"pending": 2, "skipped": 1}


def test_the_report_is_a_csv_that_no_spreadsheet_runs(
    order: BulkOrder, clerk: User, client_for: ClientFor
) -> None:
    BulkOrder.objects.get().item_set.filter(outcome="skipped").update(reason="=1+1")

    answer = client_for(clerk).get(url(order, "report", "csv"))
    rows = list(csv.DictReader(io.StringIO(answer.getvalue().decode("utf-8-sig"))))

    assert len(rows) == 3
    assert [row["reason"] for row in rows if row["outcome"] == "skipped"] == ["'=1+1"]


def test_the_report_is_json(
    order: BulkOrder, clerk: User, client_for: ClientFor
) -> None:
    ran(order)
    told = json.loads(client_for(clerk).get(url(order, "report", "json")).getvalue())

    assert told["order"]["outcomes"] == {"done": 2, "skipped": 1}
    assert len(told["items"]) == 3


@pytest.mark.parametrize("page", ["change", "progress", "items"])
@pytest.mark.parametrize("person", ["uploader", "nobody"])
def test_who_may_see_no_orders_sees_none(
    page: str, person: str, request: Any, order: BulkOrder, client_for: ClientFor
) -> None:
    client = client_for(request.getfixturevalue(person))

    assert client.get(url(order, page)).status_code in {302, 403, 404}


def test_an_order_is_stopped_by_who_asked_for_it(
    order: BulkOrder, clerk: User, client_for: ClientFor
) -> None:
    said = client_for(clerk).post(url(order, "cancel"), follow=True)

    assert "asked to stop" in texts(said)
    assert ran(order).state == OrderState.CANCELLED


@pytest.mark.parametrize("person", PEOPLE)
def test_who_may_not_expire_stops_no_order(
    person: str, request: Any, order: BulkOrder, client_for: ClientFor
) -> None:
    answer = client_for(request.getfixturevalue(person)).post(url(order, "cancel"))

    order.refresh_from_db()
    assert answer.status_code in {302, 403}
    assert order.cancel_requested_at is None


def test_nothing_is_stopped_by_get(
    order: BulkOrder, clerk: User, client_for: ClientFor
) -> None:
    assert client_for(clerk).get(url(order, "cancel")).status_code == 405


def test_an_order_that_has_ended_cannot_be_stopped(
    order: BulkOrder, clerk: User, client_for: ClientFor
) -> None:
    ran(order)

    said = client_for(clerk).post(url(order, "cancel"), follow=True)

    assert "cannot be cancelled" in texts(said)


@pytest.mark.parametrize(
    ("button", "state"), [("approve", "queued"), ("decline", "cancelled")]
)
def test_a_manager_decides_on_every_removal_that_waits(
    button: str, state: str, clerk: User, manager: User, client_for: ClientFor
) -> None:
    for _n in range(2):
        jobs.request(make_session(S.STORED), JobKind.REMOVE, clerk, reason="old")
    data = {button: "1", "all": "1", "reason": "Agreed"}

    client_for(manager).post(reverse("admin:upload_job_approvals"), data)

    assert ran(BulkOrder.objects.get()).state == OrderState.SUCCEEDED
    removals = Job.objects.filter(kind=JobKind.REMOVE)
    assert {job.state for job in removals} == {state}


@pytest.mark.parametrize("person", ["clerk", "auditor"])
def test_who_may_not_approve_decides_on_nothing(
    person: str, request: Any, clerk: User, client_for: ClientFor
) -> None:
    jobs.request(make_session(S.STORED), JobKind.REMOVE, clerk, reason="old")
    client = client_for(request.getfixturevalue(person))

    answer = client.post(
        reverse("admin:upload_job_approvals"), {"approve": "1", "all": "1"}
    )

    assert answer.status_code == 403
    assert not BulkOrder.objects.exists()
    assert Job.objects.filter(state=JobState.AWAITING_APPROVAL).count() == 1
