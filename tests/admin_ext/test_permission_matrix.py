"""Role x verb x state x channel: no wrong allow, no wrong deny.

The verbs, states and channels are the product's; what each must answer is the tables'
of ``tests.admin_ext.matrix``.
"""

from pathlib import Path
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from admin_ext.verbs import BULK_VERBS
from tests.admin_ext.channels import (
    ABSENT,
    Channel,
    Try,
    bulk_action,
    bulk_order,
    button,
    endpoint,
    page_address,
    ready_for,
    service,
    tried,
    tus,
)
from tests.admin_ext.choosing import facts
from tests.admin_ext.matrix import (
    DENIED,
    ROLES,
    STATE,
    VERB_ROWS,
    YES,
    expected,
    for_staff,
    people,
    without_sight,
)
from tests.make import make_destination, make_job, make_session, run
from tests.people import ClientFor, make_person
from upload import legal_hold, orders, policy, tasks
from upload.models import Destination, Job, UploadSession
from upload.orders import Wish
from upload.policy import RULES, Rule
from upload.states import JobKind, JobState, SessionStatus, Verb

S = SessionStatus
pytestmark = pytest.mark.django_db
STATES = list(SessionStatus)


def cases(*verbs: Verb) -> Any:
    pairs = [(verb, state) for verb in verbs for state in STATES]
    return pytest.mark.parametrize(
        ("verb", "state"), pairs, ids=[f"{v.value}-{s.name}" for v, s in pairs]
    )


@pytest.fixture
def destination(storages_in_tmp: Path, db: None) -> Destination:
    return make_destination(storages_in_tmp / "destinations" / "archive")


@pytest.fixture
def persons(db: None) -> dict[str, Any]:
    return people()


@pytest.fixture
def ask(
    persons: dict[str, Any], client_for: ClientFor, destination: Destination
) -> Any:
    """Return a function that gives each role's answer by each channel."""

    def answers(verb: Verb, state: SessionStatus, *ways: Channel) -> dict[str, Any]:
        session = ready_for(verb, state, persons["owner"], destination)
        tries = {
            role: Try(person, client_for(person), verb, session, destination)
            for role, person in persons.items()
        }
        return {
            way.__name__: {role: tried(way, one) for role, one in tries.items()}
            for way in ways
        }

    return answers


def test_every_verb_has_a_row_in_the_table() -> None:
    assert set(VERB_ROWS) == {verb.value for verb in RULES}


@cases(*BULK_VERBS)
def test_staff_do_by_every_way_what_the_table_says(
    ask: Any, verb: Verb, state: SessionStatus
) -> None:
    answers = expected(verb, state)
    offered = {r: ABSENT if a == STATE else a for r, a in answers.items()}
    offered |= {r: ABSENT for r, a in answers.items() if a == DENIED}

    ways = (service, bulk_order, bulk_action, page_address, button)
    assert ask(verb, state, *ways) == {
        "service": without_sight(answers),
        "bulk_order": without_sight(answers),
        "bulk_action": without_sight(for_staff(answers)),
        "page_address": for_staff(answers),
        "button": without_sight(for_staff(offered)),
    }


@cases(Verb.UPLOAD)
def test_files_are_sent_by_every_way_as_the_table_says(
    ask: Any, verb: Verb, state: SessionStatus
) -> None:
    answers = expected(verb, state)

    assert ask(verb, state, service, endpoint, tus) == {
        "service": without_sight(answers),
        "endpoint": answers,
        "tus": answers,
    }


@cases(Verb.REMOVE_FILE)
def test_one_file_is_removed_as_the_table_says(
    ask: Any, verb: Verb, state: SessionStatus
) -> None:
    assert ask(verb, state, endpoint) == {"endpoint": expected(verb, state)}


@pytest.mark.parametrize("kind", list(JobKind))
@pytest.mark.parametrize("role", ROLES)
def test_a_worker_asks_again_whether_the_requester_may(
    persons: dict[str, Any], destination: Destination, role: str, kind: JobKind
) -> None:
    state = S.STORED if kind in {JobKind.COPY, JobKind.VERIFY} else S.UPLOADING
    session = make_session(state, user=persons["owner"])
    Job.objects.all().delete()
    place = {"destination": destination} if kind == JobKind.COPY else {}
    job = run(make_job(session, kind, requester=persons[role], **place))

    answer = {JobState.SUCCEEDED: YES}.get(JobState(job.state), job.error_code)

    promised = without_sight(expected(Verb(kind), state))[role]
    assert answer == (YES if promised == YES else "not_permitted")


@pytest.mark.parametrize("verb", list(BULK_VERBS))
def test_a_bulk_order_does_nothing_once_its_person_has_lost_the_right(
    superuser: Any, destination: Destination, verb: Verb
) -> None:
    state = next(s for s in STATES if s.value in VERB_ROWS[verb]["states"].split())
    session = ready_for(verb, state, superuser, destination)
    order = orders.draft(verb.value, UploadSession.objects.all(), superuser)
    orders.confirm(order, superuser, Wish("Sent twice", destination))
    type(superuser).objects.update(is_superuser=False)
    before = facts()

    tasks.run_order(order.pk)

    assert facts() == before
    session.refresh_from_db()
    assert session.status == state


@pytest.mark.parametrize("role", ROLES)
def test_a_draft_of_an_order_is_its_persons_own(
    persons: dict[str, Any], client_for: ClientFor, role: str
) -> None:
    make_session(S.UPLOADING)
    author = make_person("another_clerk", "Records staff")
    order = orders.draft("store", UploadSession.objects.all(), author)
    url = reverse("admin:upload_bulkorder_preview", args=[order.pk])

    client_for(persons[role]).post(url, {"confirm": "1"})

    order.refresh_from_db()
    assert order.is_draft


@cases(*BULK_VERBS)
def test_the_system_is_bound_by_states_alone(
    destination: Destination, verb: Verb, state: SessionStatus
) -> None:
    session = ready_for(verb, state, None, destination)

    answer = service(Try(None, Client(), verb, session, destination))

    assert answer == expected(verb, state)["superuser"]


DISPOSING = [
    (verb, state)
    for verb in (Verb.EXPIRE, Verb.REMOVE)
    for state in RULES[verb].origins
]


@pytest.mark.parametrize(("verb", "state"), DISPOSING)
def test_a_hold_stops_whoever_has_the_right(
    ask: Any, monkeypatch: pytest.MonkeyPatch, verb: Verb, state: SessionStatus
) -> None:
    monkeypatch.setattr(legal_hold, "is_held", lambda session: True)
    promised = without_sight(expected(verb, state))

    answers = ask(verb, state, service)

    held = {role: STATE if a == YES else a for role, a in promised.items()}
    assert answers == {"service": held}


# The matrix can fail: a rule that lets more people do it, or from any state, is seen.


@pytest.mark.parametrize("verb", [v for v in BULK_VERBS if v != Verb.RETRY])
def test_a_rule_that_lets_too_many_is_noticed(
    ask: Any, monkeypatch: pytest.MonkeyPatch, verb: Verb
) -> None:
    state = next(s for s in STATES if s.value in VERB_ROWS[verb]["states"].split())
    wide = Rule("view_uploadsession", RULES[verb].origins)
    monkeypatch.setitem(policy.RULES, verb, wide)

    for answers in ask(verb, state, service, page_address, button).values():
        assert answers["auditor"] == YES


@pytest.mark.parametrize("verb", [Verb.STORE, Verb.COPY, Verb.REMOVE, Verb.EXPIRE])
def test_a_rule_that_forgets_a_state_is_noticed(
    ask: Any, monkeypatch: pytest.MonkeyPatch, verb: Verb
) -> None:
    state = next(s for s in STATES if s.value in VERB_ROWS[verb]["states"].split())
    never = Rule(RULES[verb].permission, frozenset())
    monkeypatch.setitem(policy.RULES, verb, never)

    assert ask(verb, state, button)["button"]["superuser"] == ABSENT
