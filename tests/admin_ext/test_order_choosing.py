"""Many sessions at once in the admin: chosen, previewed, confirmed, by whom."""

from typing import Any

import pytest

from admin_ext import bulk
from portal.models import User
from tests.admin_ext.choosing import LIST, choose, confirm, facts, texts
from tests.admin_ext.ordering import chosen_by, confirmed, ran, url
from tests.make import make_session, make_user
from tests.people import ClientFor
from upload.models import BulkOrder, UploadSession
from upload.states import OrderState
from upload.states import SessionStatus as S

pytestmark = pytest.mark.django_db
PEOPLE = ["uploader", "nobody", "manager", "auditor"]


@pytest.fixture(autouse=True)
def few(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let two sessions be many."""
    monkeypatch.setattr(bulk, "MAX_DIRECT", 1)


def test_many_sessions_are_previewed_confirmed_and_done_in_the_background(
    clerk: User, client_for: ClientFor
) -> None:
    sessions = [make_session(S.UPLOADING) for _n in range(3)] + [make_session(S.STORED)]
    client = client_for(clerk)

    order = chosen_by(client)
    seen = client.get(url(order, "preview")).context["seen"]
    said = texts(confirmed(client, order))

    assert (seen.ready_count, seen.skipped_count, seen.files) == (3, 1, 6)
    assert [group.reason for group in seen.groups] == [
        "It is “Stored”; this starts only from: Created, Uploading."
    ]
    link = f'<a class="mu-link" href="{url(order, "change")}">'
    assert f"for 4 sessions runs in the background. {link}" in said
    assert ran(order).state == OrderState.SUCCEEDED
    states = UploadSession.objects.filter(pk__in=[s.pk for s in sessions])
    assert sorted(states.values_list("status", flat=True)) == ["EX", "EX", "EX", "SD"]


def test_a_preview_changes_no_session_and_can_be_reloaded(
    clerk: User, client_for: ClientFor
) -> None:
    make_session(S.UPLOADING), make_session(S.UPLOADING)
    client, before = client_for(clerk), facts()

    order = chosen_by(client)
    client.get(url(order, "preview"))

    assert client.get(url(order, "preview")).status_code == 200
    assert (facts(), order.state) == (before, OrderState.DRAFT)


def test_a_reason_is_asked_for_before_many_are_expired(
    clerk: User, client_for: ClientFor
) -> None:
    make_session(S.UPLOADING), make_session(S.UPLOADING)
    client = client_for(clerk)
    order = chosen_by(client)

    answer = confirmed(client, order, reason=" ")

    order.refresh_from_db()
    assert answer.context["form"].errors["reason"]
    assert order.state == OrderState.DRAFT


@pytest.mark.parametrize("person", PEOPLE)
@pytest.mark.parametrize("across", ["0", "1"])
def test_who_may_not_expire_drafts_nothing(
    person: str, across: str, request: Any, client_for: ClientFor
) -> None:
    sessions = [make_session(S.UPLOADING) for _n in range(2)]
    client = client_for(request.getfixturevalue(person))

    answer = choose(client, "expire_sessions", *sessions, select_across=across)

    assert answer.status_code in {302, 403}  # 302: to the sign-in page
    assert not BulkOrder.objects.exists()


@pytest.mark.parametrize("person", [*PEOPLE, "other_clerk"])
def test_nobody_else_sees_or_confirms_a_draft(
    person: str, request: Any, clerk: User, client_for: ClientFor
) -> None:
    make_session(S.UPLOADING), make_session(S.UPLOADING)
    order = chosen_by(client_for(clerk))
    other = (
        make_user("other", is_staff=True)
        if person == "other_clerk"
        else request.getfixturevalue(person)
    )
    if person == "other_clerk":
        other.groups.set(clerk.groups.all())

    answer = client_for(other).post(
        url(order, "preview"), {"confirm": "1", "reason": "x"}
    )

    order.refresh_from_db()
    assert answer.status_code in {302, 403, 404}
    assert order.state == OrderState.DRAFT


def test_a_right_taken_away_before_the_confirmation_is_missed(
    clerk: User, client_for: ClientFor
) -> None:
    make_session(S.UPLOADING), make_session(S.UPLOADING)
    client = client_for(clerk)
    order = chosen_by(client)
    for group in clerk.groups.all():
        group.permissions.remove(
            *group.permissions.filter(codename="expire_uploadsession")
        )

    assert confirmed(client, order).status_code == 403


def test_only_sessions_that_the_filter_shows_are_chosen(
    clerk: User, client_for: ClientFor
) -> None:
    make_session(S.UPLOADING), make_session(S.UPLOADING), make_session()
    data = {"action": "expire_sessions", "index": "0", "select_across": "1"}

    client_for(clerk).post(f"{LIST}?status=UG", data | {"_selected_action": "0"})

    order = BulkOrder.objects.get()
    assert (order.sessions_total, order.selection) == (2, "status=UG")


@pytest.mark.parametrize(
    "query", ["user__password__startswith=a", "status=nothing", "q=%00"]
)
def test_a_forged_filter_chooses_nothing(
    query: str, clerk: User, client_for: ClientFor
) -> None:
    make_session(S.UPLOADING), make_session(S.UPLOADING)
    data = {"action": "expire_sessions", "index": "0", "select_across": "1"}
    forged = data | {"_selected_action": "0"}

    answer = client_for(clerk).post(f"{LIST}?{query}", forged)

    assert answer.status_code in {200, 302, 400}
    assert not BulkOrder.objects.exists()


def test_forged_ids_are_left_out(clerk: User, client_for: ClientFor) -> None:
    own = [make_session(S.UPLOADING) for _n in range(2)]
    ids = [session.pk for session in own]
    data = {"action": "expire_sessions", "index": "0"}

    client_for(clerk).post(LIST, data | {"_selected_action": [*ids, 987654321]})

    assert BulkOrder.objects.get().sessions_total == 2


def test_a_confirmed_order_is_not_confirmed_again(
    clerk: User, client_for: ClientFor
) -> None:
    make_session(S.UPLOADING), make_session(S.UPLOADING)
    client = client_for(clerk)
    order = chosen_by(client)
    confirmed(client, order)

    again = confirmed(client, order, reason="Another")

    order.refresh_from_db()
    assert again.redirect_chain[-1][0] == url(order, "change")
    assert order.reason == "Sent twice"


def test_few_sessions_are_done_at_once(
    clerk: User, client_for: ClientFor, monkeypatch: Any
) -> None:
    monkeypatch.setattr(bulk, "MAX_DIRECT", 2)
    sessions = [make_session(S.UPLOADING) for _n in range(2)]

    assert "2 sessions expired" in texts(
        confirm(client_for(clerk), "expire_sessions", *sessions)
    )
