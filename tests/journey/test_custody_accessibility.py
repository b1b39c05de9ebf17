"""Axe finds nothing against WCAG 2 A and AA on the pages of custody and of the portal.

As in ``test_accessibility`` nothing is excused: Unfold's parts of these pages pass.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import Group
from django.urls import reverse
from playwright.sync_api import Page

from portal.models import User
from tests.admin_ext.pages import admin_url, make_queue_rows
from tests.browsing import PageFor
from tests.journey.test_accessibility import barriers
from tests.make import make_destination, make_session, run
from upload import holding, jobs, orders, tasks
from upload.models import (
    AccessLog,
    BulkOrder,
    Destination,
    InProgressSubmission,
    Job,
    LegalHold,
    RemovalCertificate,
    SessionEvent,
    Submission,
    UploadSession,
)
from upload.orders import Wish
from upload.probe import probe
from upload.states import JobKind, SessionStatus

S = SessionStatus
pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def custody(superuser: User, clerk: User, storages_in_tmp: Path) -> UploadSession:
    """A held and submitted session, a removal that waits, one that was approved."""
    held = make_session(S.STORED, user=clerk)
    Submission.objects.create(
        user=clerk, title="Letters", accession_number="2026-1", upload_session=held
    )
    InProgressSubmission.objects.create(user=clerk, title="Maps")
    holding.place(held, None, "Case 12")
    jobs.request(make_session(S.STORED), JobKind.REMOVE, clerk, reason="Sent twice")
    removed = make_session(S.STORED, user=clerk)
    removal = jobs.request(removed, JobKind.REMOVE, clerk, reason="Sent twice")
    jobs.approve(removal, superuser)
    run(removal)
    destination = make_destination(storages_in_tmp / "destinations" / "archive")
    probe(destination)
    jobs.request(held, JobKind.COPY, clerk, destination=destination)
    run(held.job_set.get(kind=JobKind.COPY))
    run(held.job_set.get(kind=JobKind.VERIFY))
    for verb in ("verify", "expire"):  # the first runs, the second stays a draft
        order = orders.draft(verb, UploadSession.objects.all(), superuser)
        if verb == "verify":
            orders.confirm(order, superuser, Wish())
            tasks.run_order(order.pk)
    return held


def of_first(model: Any, page: str = "change") -> Callable[[], str]:
    return lambda: admin_url(model, page, model.objects.order_by("pk").first().pk)


def of_list(model: Any, page: str = "changelist") -> Callable[[], str]:
    return lambda: admin_url(model, page)


PAGES: dict[str, Callable[[], str]] = {
    "approvals": lambda: reverse("admin:upload_job_approvals"),
    "holds": of_list(LegalHold),
    "hold": of_first(LegalHold),
    "certificates": of_list(RemovalCertificate),
    "certificate": of_first(RemovalCertificate),
    "certificate to print": of_first(RemovalCertificate, "print"),
    "destinations": of_list(Destination),
    "destination": of_first(Destination),
    "new destination": of_list(Destination, "add"),
    "submissions": of_list(Submission),
    "submission": of_first(Submission),
    "new submission": of_list(Submission, "add"),
    "drafts": of_list(InProgressSubmission),
    "draft": of_first(InProgressSubmission),
    "people": of_list(User),
    "roles": of_list(Group),
    "role": of_first(Group),
    "person": of_first(User),
    "jobs": of_list(Job),
    "job": of_first(Job),
    "orders": of_list(BulkOrder),
    "order": of_first(BulkOrder),
    "order preview": lambda: admin_url(
        BulkOrder, "preview", BulkOrder.objects.get(state="draft").pk
    ),
    "events": of_list(SessionEvent),
    "event": of_first(SessionEvent),
    "accesses": of_list(AccessLog),
    "held session": of_first(UploadSession),
    "export": of_list(UploadSession, "export"),
    "copy preview": lambda: _verb("copy"),
    "lift preview": lambda: _verb("lift"),
}


def _verb(verb: str) -> str:
    session = UploadSession.objects.order_by("pk").first()
    assert session is not None
    return reverse("admin:upload_uploadsession_verb", args=[session.pk, verb])


@pytest.fixture
def page(superuser: User, custody: UploadSession, page_for: PageFor) -> Page:
    return page_for(superuser)


@pytest.mark.parametrize("name", PAGES)
def test_a_page_of_custody_has_no_known_barrier(page: Page, name: str) -> None:
    page.goto(PAGES[name]())

    assert barriers(page) == []


QUEUE = ["schedule", "ormq", "success", "failure"]


@pytest.mark.parametrize("name", QUEUE)
def test_a_page_of_the_queue_has_no_known_barrier(
    superuser: User, page_for: PageFor, name: str
) -> None:
    make_queue_rows()
    page = page_for(superuser)

    page.goto(reverse(f"admin:django_q_{name}_changelist"))

    assert barriers(page) == []


def test_the_queues_health_has_no_known_barrier(
    superuser: User, page_for: PageFor
) -> None:
    page = page_for(superuser)

    page.goto(reverse("admin:upload_workerbeat_changelist"))

    assert barriers(page) == []
