"""Holds on the session page: placed and lifted by POST, by those who may, and told."""

from typing import Any

import pytest

from tests.make import make_session
from tests.people import ClientFor
from upload import holding
from upload.models import LegalHold, SessionEvent, Submission
from upload.states import SessionStatus

pytestmark = pytest.mark.django_db
LIFT = "/admin/upload/legalhold/{}/lift/"
PLACE = "/admin/upload/legalhold/submission/{}/"


@pytest.fixture
def hold(db: None) -> LegalHold:
    return holding.place(make_session(SessionStatus.UPLOADING), None, "Case 12")


def submission() -> Submission:
    session = make_session(SessionStatus.STORED)
    return Submission.objects.create(title="Fonds", upload_session=session)


def test_a_manager_lifts_one_hold_with_a_reason(
    hold: LegalHold, manager: Any, client_for: ClientFor
) -> None:
    client_for(manager).post(LIFT.format(hold.pk), {"reason": "Case closed"})

    hold.refresh_from_db()
    assert (hold.lifted_by, hold.lift_reason) == (manager, "Case closed")
    assert hold.lifted_at is not None


def test_a_hold_is_not_lifted_without_a_reason(
    hold: LegalHold, manager: Any, client_for: ClientFor
) -> None:
    client = client_for(manager)

    page = client.post(LIFT.format(hold.pk), {"reason": " "}, follow=True)

    hold.refresh_from_db()
    assert hold.lifted_at is None
    assert "Write the reason" in page.content.decode()


@pytest.mark.parametrize("role", ["clerk", "auditor", "nobody"])
@pytest.mark.parametrize("deed", ["lift", "place"])
def test_others_lift_and_place_nothing(
    hold: LegalHold, request: Any, client_for: ClientFor, role: str, deed: str
) -> None:
    url = LIFT.format(hold.pk) if deed == "lift" else PLACE.format(submission().pk)
    before = SessionEvent.objects.count()

    answer = client_for(request.getfixturevalue(role)).post(url, {"reason": "Why"})

    hold.refresh_from_db()
    assert answer.status_code == 403
    assert (hold.lifted_at, LegalHold.objects.count()) == (None, 1)
    assert SessionEvent.objects.count() == before


def test_a_hold_is_not_lifted_by_looking(
    hold: LegalHold, manager: Any, client_for: ClientFor
) -> None:
    assert client_for(manager).get(LIFT.format(hold.pk)).status_code == 405


def test_a_submission_is_put_on_hold_and_its_session_with_it(
    manager: Any, client_for: ClientFor
) -> None:
    held = submission()

    client_for(manager).post(PLACE.format(held.pk), {"reason": "Audit"})

    held.upload_session.refresh_from_db()
    assert held.upload_session.hold_count == 1


def test_the_session_page_tells_everybody_who_sees_it_why(
    hold: LegalHold, clerk: Any, client_for: ClientFor
) -> None:
    url = f"/admin/upload/uploadsession/{hold.session_id}/change/"

    page = client_for(clerk).get(url).content.decode()

    assert "Case 12" in page
    assert LIFT.format(hold.pk) not in page
