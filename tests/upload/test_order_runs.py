"""Bulk orders as a worker runs them: what becomes of each session, and its events."""

from typing import Any

import pytest

from portal.models import User
from tests.make import make_session
from upload import orders, tasks
from upload.models import BulkOrder, UploadSession
from upload.orders import Wish
from upload.states import OrderState
from upload.states import SessionStatus as S

pytestmark = pytest.mark.django_db

ALL = UploadSession.objects.all


def ordered(verb: str, actor: Any, **wish: Any) -> BulkOrder:
    order = orders.draft(verb, ALL(), actor)
    orders.confirm(order, actor, Wish(**{"reason": "Sent twice", **wish}))
    return order


def ran(order: BulkOrder) -> BulkOrder:
    while not order.has_ended and tasks.run_order(order.pk):
        order.refresh_from_db()
    return order


def outcomes(order: BulkOrder) -> list[str]:
    return list(order.item_set.values_list("outcome", flat=True))


def test_expiring_in_bulk_ends_every_session_with_one_event(superuser: User) -> None:
    sessions = [make_session(S.UPLOADING) for _n in range(3)] + [make_session()]

    order = ran(ordered("expire", superuser))

    assert order.state == OrderState.SUCCEEDED
    assert outcomes(order) == ["done"] * 4
    for session in sessions:
        session.refresh_from_db()
        event = session.event_set.get(code="upload.session.expired")
        assert (session.status, session.total_files) == (S.EXPIRED, 0)
        assert (event.actor, event.reason) == (superuser, "Sent twice")
        assert event.detail["order"] == str(order.uuid)
