"""``transitions`` is the only writer of ``status``: every pair, every race."""

from itertools import product
from pathlib import Path
from typing import Any

import pytest
from django.db import transaction

from tests.make import make_session, make_user, set_status
from tests.racing import race
from upload import transitions
from upload.errors import IllegalTransition, LimitExceeded
from upload.events import Cause
from upload.models import SessionEvent, UploadSession
from upload.states import SessionStatus, edge

PAIRS = list(product(SessionStatus, SessionStatus))


@pytest.mark.django_db
@pytest.mark.parametrize(("origin", "target"), [p for p in PAIRS if edge(*p)])
def test_a_legal_move_writes_status_and_one_event(
    origin: SessionStatus, target: SessionStatus
) -> None:
    session = make_session()
    set_status(session, origin)
    before = SessionEvent.objects.count()

    assert transitions.move(session, target) == origin

    session.refresh_from_db()
    event = SessionEvent.objects.first()
    assert session.status == target
    assert SessionEvent.objects.count() == before + 1
    assert (event.detail["from"], event.detail["to"]) == (origin, target)


@pytest.mark.django_db
@pytest.mark.parametrize(("origin", "target"), [p for p in PAIRS if not edge(*p)])
def test_an_illegal_move_changes_nothing(
    origin: SessionStatus, target: SessionStatus
) -> None:
    session = make_session()
    set_status(session, origin)
    before = SessionEvent.objects.count()

    with pytest.raises(IllegalTransition):
        transitions.move(session, target)

    session.refresh_from_db()
    assert session.status == origin
    assert SessionEvent.objects.count() == before


@pytest.mark.django_db
def test_an_illegal_move_says_session_state_and_what_would_do() -> None:
    session = make_session()

    with pytest.raises(IllegalTransition) as caught:
        transitions.move(session, SessionStatus.STORED)

    assert str(caught.value) == (
        f"Session {session.uuid} is “Created”, so it cannot become “Stored”; that "
        "starts only from: Copying. Reload the session to see what can be done now."
    )
    assert session.token not in str(caught.value)


@pytest.mark.django_db
def test_allowed_narrows_the_origins() -> None:
    session = make_session()

    with pytest.raises(IllegalTransition):
        transitions.move(
            session, SessionStatus.EXPIRED, allowed=[SessionStatus.UPLOADING]
        )


@pytest.mark.django_db
def test_the_event_names_actor_and_reason() -> None:
    session, actor = make_session(), make_user("mira")

    transitions.move(
        session, SessionStatus.EXPIRED, Cause(actor=actor, reason="wrong box")
    )

    event = SessionEvent.objects.first()
    assert (event.actor_name, event.reason) == ("mira", "wrong box")


@pytest.mark.django_db
def test_a_rolled_back_move_leaves_no_event() -> None:
    session = make_session()
    before = SessionEvent.objects.count()

    with pytest.raises(ZeroDivisionError), transaction.atomic():
        transitions.move(session, SessionStatus.EXPIRED)
        raise ZeroDivisionError

    session.refresh_from_db()
    assert session.status == SessionStatus.CREATED
    assert SessionEvent.objects.count() == before


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("round_", range(5))
def test_of_two_callers_at_one_instant_exactly_one_wins(round_: int) -> None:
    session = make_session()
    targets = [SessionStatus.EXPIRED, SessionStatus.UPLOADING]

    def move(index: int) -> Any:
        mine = UploadSession.objects.get(pk=session.pk)
        return transitions.move(mine, targets[index], allowed=[SessionStatus.CREATED])

    results = race(2, move)

    assert sorted(isinstance(r, IllegalTransition) for r in results) == [False, True]
    moved = SessionEvent.objects.filter(session=session, detail__has_key="to")
    assert moved.count() == 1


@pytest.mark.django_db(transaction=True)
def test_twenty_callers_cannot_open_more_sessions_than_the_limit(
    settings: Any,
) -> None:
    settings.UPLOAD_SESSION_MAX_CONCURRENT_OPEN = 5
    user = make_user()

    results = race(20, lambda i: UploadSession.new_session(user, enforce_limit=True))

    refused = [r for r in results if isinstance(r, UploadSession.SessionLimitExceeded)]
    opened = [r for r in results if isinstance(r, UploadSession)]
    assert (len(opened), len(refused)) == (5, 15)
    assert UploadSession.objects.filter(user=user).count() == 5


@pytest.mark.django_db(transaction=True)
def test_parallel_uploads_cannot_pass_the_file_limit_together(settings: Any) -> None:
    settings.MAX_TOTAL_UPLOAD_COUNT = 3
    session = make_session()

    def admit(index: int) -> None:
        with transaction.atomic():
            transitions.admit_file(UploadSession.objects.get(pk=session.pk), 10)

    results = race(8, admit)

    session.refresh_from_db()
    assert sum(isinstance(r, LimitExceeded) for r in results) == 5
    assert (session.total_files, session.total_size_bytes) == (3, 30)


def test_no_other_module_writes_status() -> None:
    root = Path(__file__).parents[2]
    writers = {
        path.name
        for folder in ("upload", "admin_ext", "portal", "fixtures")
        for path in (root / folder).rglob("*.py")
        if "migrations" not in path.parts
        and any(
            mark in path.read_text(encoding="utf-8")
            for mark in ("update(status=", '"status": target', "session.status = ")
        )
    }

    assert writers == {"transitions.py"}
