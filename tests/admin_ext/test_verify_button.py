"""When a session's files can be verified: not only while nothing else is verified."""

from pathlib import Path
from typing import Any

import pytest
from django.urls import reverse

from admin_ext import previews
from portal.models import User
from tests.make import make_destination, make_job, make_session
from tests.people import ClientFor
from upload import order_plan, orders
from upload.models import Destination, Job, UploadSession
from upload.states import JobKind, JobState, Obstacle, OrderVerb, SessionStatus, Verb

pytestmark = pytest.mark.django_db


@pytest.fixture
def session() -> UploadSession:
    """Return a stored session whose first check is done."""
    session = make_session(SessionStatus.STORED)
    Job.objects.update(state=JobState.SUCCEEDED)
    return session


@pytest.fixture
def place(storages_in_tmp: Path) -> Destination:
    return make_destination(storages_in_tmp / "destinations" / "box")


def offered(session: UploadSession, client: Any) -> bool:
    page = client.get(reverse("admin:upload_uploadsession_change", args=[session.pk]))
    verbs = {row.verb for row in page.context["buttons"]}
    return Verb.VERIFY in verbs


def test_the_files_can_be_verified_while_a_copy_is(
    session: UploadSession, place: Destination, superuser: User, client_for: ClientFor
) -> None:
    make_job(session, JobKind.VERIFY, destination=place)

    assert offered(session, client_for(superuser))


def test_the_files_cannot_be_verified_while_they_are(
    session: UploadSession, superuser: User, client_for: ClientFor
) -> None:
    make_job(session, JobKind.VERIFY)

    assert not offered(session, client_for(superuser))


def test_a_failed_check_of_a_copy_is_retried_unless_it_runs_again(
    session: UploadSession, place: Destination, superuser: User
) -> None:
    make_job(session, JobKind.VERIFY)
    assert not previews.obstacle(superuser, Verb.VERIFY, session, place.pk)

    make_job(session, JobKind.VERIFY, destination=place)

    assert previews.obstacle(superuser, Verb.VERIFY, session, place.pk)


@pytest.mark.parametrize(
    ("at_the_place", "obstacle"), [(True, Obstacle.NONE), (False, Obstacle.BUSY)]
)
def test_a_bulk_order_to_verify_looks_at_the_same_checks(
    session: UploadSession,
    place: Destination,
    superuser: User,
    *,
    at_the_place: bool,
    obstacle: Obstacle,
) -> None:
    make_job(session, JobKind.VERIFY, destination=place if at_the_place else None)

    order = orders.draft(OrderVerb.VERIFY, UploadSession.objects.all(), superuser)

    assert [share.obstacle for share in order_plan.shares(order)] == [obstacle]
