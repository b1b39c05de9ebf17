"""Bulk actions: who may, by which method, and never without a confirmation."""

from pathlib import Path
from typing import Any

import pytest
from django.test import Client

from tests.admin_ext.choosing import (
    ACTIONS,
    LIST,
    choose,
    confirm,
    facts,
    ready_for,
    texts,
)
from tests.make import make_destination

pytestmark = pytest.mark.django_db


@pytest.fixture
def answers(storages_in_tmp: Path, db: None) -> dict[str, Any]:
    """What the forms of all previews ask for."""
    destination = make_destination(storages_in_tmp / "destinations" / "archive")
    return {"reason": "Sent twice", "destination": destination.pk}


MANAGERS_ACTIONS = {"hold_sessions", "lift_sessions"}
DENIED = [
    (role, action)
    for role in ("clerk", "manager", "auditor", "nobody")
    for action in ACTIONS
    if role in {"auditor", "nobody"}
    or (role == "clerk") is (action in MANAGERS_ACTIONS)
]
ALLOWED = [
    (role, action)
    for action in ACTIONS
    for role in ("manager" if action in MANAGERS_ACTIONS else "clerk", "superuser")
]


@pytest.mark.parametrize(("role", "action"), DENIED)
def test_roles_without_the_right_get_403_and_change_nothing(
    request: Any, client_for: Any, answers: Any, role: str, action: str
) -> None:
    client = client_for(request.getfixturevalue(role))
    session = ready_for(action)
    before = facts()

    assert choose(client, action, session).status_code == 403
    assert choose(client, action, session, confirm="1", **answers).status_code == 403
    assert facts() == before


@pytest.mark.parametrize("action", ACTIONS)
def test_an_uploader_is_sent_to_sign_in(
    uploader: Any, client_for: Any, answers: Any, action: str
) -> None:
    session = ready_for(action)
    before = facts()
    client = client_for(uploader)

    assert choose(client, action, session, confirm="1", **answers).status_code == 302
    assert facts() == before


@pytest.mark.parametrize(("role", "action"), ALLOWED)
def test_roles_with_the_right_do_it_after_a_preview(
    request: Any, client_for: Any, answers: Any, role: str, action: str
) -> None:
    client = client_for(request.getfixturevalue(role))
    session = ready_for(action)
    before = facts()

    preview = choose(client, action, session)
    assert preview.context["seen"].ready == [session]
    assert facts() == before

    assert "1 session" in texts(confirm(client, action, session, **answers))
    assert facts() != before


@pytest.mark.parametrize("action", ACTIONS)
@pytest.mark.parametrize("method", ["get", "head", "options"])
def test_nothing_changes_but_by_post(
    superuser: Any, client_for: Any, answers: Any, action: str, method: str
) -> None:
    session = ready_for(action)
    before = facts()
    data = {"action": action, "_selected_action": session.pk, "confirm": "1"}

    getattr(client_for(superuser), method)(LIST, data | answers | {"index": "0"})

    assert facts() == before


@pytest.mark.parametrize("action", ACTIONS)
def test_a_post_without_a_csrf_token_is_refused(
    superuser: Any, answers: Any, action: str
) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(superuser)
    session = ready_for(action)
    before = facts()

    assert choose(client, action, session, confirm="1", **answers).status_code == 403
    assert facts() == before
