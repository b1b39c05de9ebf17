"""Removals decided by a second person: many at once, never one's own."""

from typing import Any

import pytest
from django.test import Client

from tests.make import make_session
from tests.people import make_person
from upload import holding, jobs
from upload.models import Job, SessionEvent
from upload.states import JobKind, JobState, SessionStatus

S = SessionStatus
URL = "/admin/upload/job/approvals/"
pytestmark = pytest.mark.django_db


@pytest.fixture
def waiting(clerk: Any) -> list[Job]:
    return [
        jobs.request(
            make_session(S.STORED), JobKind.REMOVE, clerk, reason=f"Copy {number}"
        )
        for number in range(3)
    ]


def decide(client: Client, verdict: str, chosen: list[Job], **more: Any) -> Any:
    data = {"job": [job.pk for job in chosen], verdict: "1", **more}
    return client.post(URL, data, follow=True)


def states() -> list[str]:
    return list(Job.objects.filter(kind="remove").values_list("state", flat=True))


def test_a_manager_approves_many_at_once(
    manager: Any, client_for: Any, waiting: list[Job]
) -> None:
    page = decide(client_for(manager), "approve", waiting, reason="Seen")

    assert "3 removals were approved" in page.content.decode()
    assert states() == [JobState.QUEUED] * 3
    approved = Job.objects.filter(approver=manager, approved_at__isnull=False)
    assert approved.count() == 3
    assert SessionEvent.objects.filter(reason="Seen").count() == 3


def test_a_manager_refuses_many_with_a_reason(
    manager: Any, client_for: Any, waiting: list[Job]
) -> None:
    decide(client_for(manager), "decline", waiting[:2], reason="Still needed")

    assert sorted(states()) == [JobState.AWAITING_APPROVAL, "cancelled", "cancelled"]
    told = SessionEvent.objects.filter(code="upload.session.remove_declined")
    assert {event.reason for event in told} == {"Still needed"}
    assert not Job.objects.filter(approver=manager).exists()


def test_a_refusal_takes_a_reason(
    manager: Any, client_for: Any, waiting: list[Job]
) -> None:
    page = decide(client_for(manager), "decline", waiting, reason=" ")

    assert "Write why you refuse" in page.content.decode()
    assert states() == [JobState.AWAITING_APPROVAL] * 3


@pytest.mark.parametrize("role", ["clerk", "auditor", "nobody"])
@pytest.mark.parametrize("verdict", ["approve", "decline"])
def test_who_may_not_decide_gets_403(
    request: Any, client_for: Any, waiting: list[Job], role: str, verdict: str
) -> None:
    client = client_for(request.getfixturevalue(role))

    answer = decide(client, verdict, waiting, reason="x")

    assert answer.status_code == 403
    assert states() == [JobState.AWAITING_APPROVAL] * 3


def test_nobody_decides_on_what_they_asked_for(superuser: Any, client_for: Any) -> None:
    own = jobs.request(make_session(S.STORED), JobKind.REMOVE, superuser, reason="x")
    client = client_for(superuser)

    assert "yourself" in client.get(URL).content.decode()
    assert "may not decide" in decide(client, "approve", [own]).content.decode()
    assert states() == [JobState.AWAITING_APPROVAL]


def test_a_held_session_is_named_and_the_others_are_approved(
    manager: Any, client_for: Any, waiting: list[Job]
) -> None:
    holding.place(waiting[0].session, manager, "Case 12")

    page = decide(client_for(manager), "approve", waiting).content.decode()

    assert "2 removals were approved" in page and "Case 12" in page
    assert sorted(states()) == [JobState.AWAITING_APPROVAL, "queued", "queued"]


def test_what_was_decided_meanwhile_is_counted(
    manager: Any, client_for: Any, waiting: list[Job]
) -> None:
    jobs.approve(waiting[0], make_person("other", "Managers"))

    page = decide(client_for(manager), "approve", waiting).content.decode()

    assert "1 removal does not wait any more" in page


def test_the_menu_counts_what_waits_for_the_person(
    manager: Any, clerk: Any, client_for: Any, waiting: list[Job]
) -> None:
    shown = client_for(manager).get(URL).content.decode()

    assert shown.count('name="job"') == 3
    assert 'name="job"' not in client_for(clerk).get(URL).content.decode()


@pytest.mark.parametrize("junk", ["abc", "-1", "9" * 40, "١"])
def test_ids_that_are_none_decide_nothing(
    manager: Any, client_for: Any, waiting: list[Job], junk: str
) -> None:
    client_for(manager).post(URL, {"job": junk, "approve": "1"})

    assert states() == [JobState.AWAITING_APPROVAL] * 3


def test_a_decision_needs_a_csrf_token(manager: Any, waiting: list[Job]) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(manager)

    assert decide(client, "approve", waiting).status_code == 403
    assert states() == [JobState.AWAITING_APPROVAL] * 3


def test_the_list_costs_the_same_for_many(
    manager: Any,
    client_for: Any,
    waiting: list[Job],
    django_assert_max_num_queries: Any,
) -> None:
    client = client_for(manager)
    client.get(URL)

    with django_assert_max_num_queries(10):
        client.get(URL)
