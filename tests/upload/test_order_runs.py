"""Bulk orders as a worker runs them: what becomes of each session, and its events."""

from pathlib import Path
from typing import Any

import pytest

from portal.models import User
from tests.make import make_destination, make_job, make_session, run, set_status
from tests.upload.ordering import ALL, ordered, outcomes, ran, reasons
from upload import holding, jobs, orders
from upload.errors import (
    DestinationRefused,
    IllegalTransition,
    NotPermitted,
    ReasonMissing,
)
from upload.models import BulkOrder, Job, SessionEvent, UploadSession
from upload.orders import Wish
from upload.states import JobKind, JobState, Obstacle, OrderState, OrderVerb
from upload.states import SessionStatus as S

pytestmark = pytest.mark.django_db


def test_expiring_in_bulk_ends_every_session_with_one_event(clerk: User) -> None:
    sessions = [make_session(S.UPLOADING) for _n in range(3)] + [make_session()]

    order = ran(ordered("expire", clerk))

    assert order.state == OrderState.SUCCEEDED
    assert outcomes(order) == ["done"] * 4
    for session in sessions:
        session.refresh_from_db()
        event = session.event_set.get(code="upload.session.expired")
        assert (session.status, session.total_files) == (S.EXPIRED, 0)
        assert (event.actor, event.reason) == (clerk, "Sent twice")
        assert event.detail["order"] == str(order.uuid)


def test_the_bytes_of_sessions_that_expire_in_bulk_go(
    clerk: User, storages_in_tmp: Path
) -> None:
    sessions = [make_session(S.UPLOADING) for _n in range(3)]
    paths = [Path(f.file_upload.path) for s in sessions for f in s.get_uploads()]

    ran(ordered("expire", clerk))

    assert not any(path.exists() for path in paths)


@pytest.mark.parametrize("verb", ["store", "remove", "copy", "verify"])
def test_each_session_gets_a_job_of_its_own(
    verb: str, clerk: User, storages_in_tmp: Path
) -> None:
    status = S.STORED if verb in {"copy", "verify"} else S.UPLOADING
    able = [make_session(status) for _n in range(2)]
    Job.objects.all().delete()
    expired = make_session(S.EXPIRED)
    place = make_destination(storages_in_tmp / "destinations" / "box")

    order = ran(ordered(verb, clerk, destination=place if verb == "copy" else None))

    assert outcomes(order) == ["queued", "queued", "skipped"]
    for session in able:
        job = session.job_set.get(kind=verb)
        item = order.item_set.get(session=session)
        assert (item.job_uuid, job.order, job.requester) == (job.uuid, order, clerk)
        assert run(job).state == JobState.SUCCEEDED
    assert not expired.job_set.exists()


def test_failed_jobs_are_retried_in_bulk(clerk: User) -> None:
    failed, fine = make_session(S.UPLOADING), make_session(S.UPLOADING)
    make_job(failed, JobKind.STORE, state=JobState.FAILED)
    set_status(failed, S.COPYING_FAILED)

    order = ran(ordered("retry", clerk))

    assert outcomes(order) == ["queued", "skipped"]
    assert run(failed.job_set.latest("pk")).state == JobState.SUCCEEDED
    assert "nothing to retry" in reasons(order)[1]
    assert not fine.job_set.exists()


def test_a_preview_says_what_cannot_be_retried(clerk: User) -> None:
    for kind, state in (
        (JobKind.STORE, JobState.FAILED),
        (JobKind.STORE, JobState.SUCCEEDED),
        (JobKind.REMOVE, JobState.CANCELLED),
    ):
        make_job(make_session(S.UPLOADING), kind, state=state)
    make_session(S.UPLOADING)

    found = orders.draft("retry", ALL(), clerk).item_set.order_by("pk")

    none = "nothing_failed"
    assert [item.obstacle for item in found] == ["", none, "", none]


def test_a_retry_takes_the_right_to_do_what_failed(clerk: User) -> None:
    make_job(make_session(S.UPLOADING), JobKind.REMOVE, state=JobState.FAILED)
    for group in clerk.groups.all():
        lost = group.permissions.filter(codename="remove_uploadsession")
        group.permissions.remove(*lost)

    found = orders.draft("retry", ALL(), clerk)

    assert found.item_set.get().obstacle == "no_right"


def test_holds_are_placed_and_lifted_in_bulk(manager: User) -> None:
    sessions = [make_session(S.STORED), make_session()]

    placed, lifted = ran(ordered("hold", manager)), ran(ordered("lift", manager))

    assert outcomes(placed) == outcomes(lifted) == ["done", "done"]
    for session in sessions:
        codes = session.event_set.filter(reason="Sent twice").values_list("code")
        assert sorted(codes) == [
            ("upload.session.hold_lifted",),
            ("upload.session.hold_placed",),
        ]


def test_removals_that_wait_are_approved_but_not_by_who_asked(
    superuser: User, clerk: User
) -> None:
    for person in (clerk, superuser):
        jobs.request(make_session(S.STORED), JobKind.REMOVE, person, reason="old")

    order = ran(ordered("approve", superuser))

    assert outcomes(order) == ["queued", "skipped"]
    states = Job.objects.filter(kind=JobKind.REMOVE).order_by("pk")
    assert list(states.values_list("state", flat=True)) == ["queued", "awaiting"]


def test_what_changed_since_the_preview_is_skipped_with_its_reason(
    clerk: User, storages_in_tmp: Path
) -> None:
    stored, held, busy, gone, fine = (make_session(S.UPLOADING) for _n in range(5))
    order = ordered("expire", clerk)
    stored.make_uploads_permanent()
    holding.place(held, None, "Case 12")
    jobs.request(busy, JobKind.STORE, None)
    gone_key = gone.pk
    gone.delete()

    ran(order)

    assert outcomes(order) == ["skipped"] * 4 + ["done"]
    told = reasons(order)
    assert ["“Stored”" in told[0], "Case 12" in told[1]] == [True, True]
    assert ["job waiting" in told[2], "not exist any more" in told[3]] == [True, True]
    held.refresh_from_db()
    assert (held.status, held.file_count) == (S.UPLOADING, 2)
    assert not UploadSession.objects.filter(pk=gone_key).exists()
    assert fine.event_set.filter(code="upload.session.expired").count() == 1


def test_a_hold_placed_since_the_preview_stops_a_removal(clerk: User) -> None:
    held, fine = make_session(S.UPLOADING), make_session(S.UPLOADING)
    order = ordered("remove", clerk)
    holding.place(held, None, "Case 12")

    ran(order)

    assert outcomes(order) == ["skipped", "queued"]
    assert not held.job_set.exists()
    assert fine.job_set.exists()


def test_a_person_who_lost_the_right_since_has_nothing_done(clerk: User) -> None:
    make_session(S.UPLOADING), make_session(S.UPLOADING)
    order = ordered("expire", clerk)
    clerk.groups.clear()

    ran(order)

    assert (order.state, order.error_code) == (OrderState.FAILED, "not_permitted")
    assert outcomes(order) == ["left", "left"]
    assert not SessionEvent.objects.filter(code="upload.session.expired").exists()


@pytest.mark.parametrize("change", ["inactive", "deleted"])
def test_a_person_who_left_since_has_nothing_done(change: str, clerk: User) -> None:
    make_session(S.UPLOADING)
    order = ordered("store", clerk)
    if change == "deleted":
        clerk.delete()
    else:
        User.objects.filter(pk=clerk.pk).update(is_active=False)

    ran(order)

    assert (order.state, outcomes(order)) == (OrderState.FAILED, ["left"])
    assert not Job.objects.exists()


@pytest.mark.parametrize("verb", OrderVerb)
@pytest.mark.parametrize(
    "person", ["uploader", "nobody", "clerk", "manager", "auditor", "superuser"]
)
def test_who_may_draft_which_order(verb: str, person: str, request: Any) -> None:
    make_session(S.UPLOADING)
    actor = request.getfixturevalue(person)
    clerks = {"expire", "store", "copy", "remove", "retry", "verify"}
    allowed = (
        person == "superuser"
        or (person == "clerk" and verb in clerks)
        or (person == "manager" and verb not in clerks)
    )

    if allowed:
        assert orders.draft(verb, ALL(), actor).sessions_total == 1
    else:
        with pytest.raises(NotPermitted):
            orders.draft(verb, ALL(), actor)
        assert not BulkOrder.objects.exists()


@pytest.mark.parametrize("verb", sorted(orders.NEEDS_REASON))
def test_no_order_that_needs_a_reason_runs_without_one(
    verb: str, superuser: User
) -> None:
    make_session(S.UPLOADING)
    order = orders.draft(verb, ALL(), superuser)

    with pytest.raises(ReasonMissing):
        orders.confirm(order, superuser, Wish(" "))

    order.refresh_from_db()
    assert order.is_draft


def test_no_copy_is_ordered_without_a_destination(clerk: User) -> None:
    order = orders.draft("copy", ALL(), clerk)

    with pytest.raises(DestinationRefused):
        orders.confirm(order, clerk, Wish())


def test_an_order_is_confirmed_once(clerk: User) -> None:
    make_session(S.UPLOADING)
    order = ordered("expire", clerk)

    with pytest.raises(IllegalTransition, match="Not confirmed"):
        orders.confirm(order, clerk, Wish("Again"))


def test_a_draft_is_never_run(clerk: User) -> None:
    session = make_session(S.UPLOADING)
    order = orders.draft("expire", ALL(), clerk)

    assert ran(order).is_draft
    session.refresh_from_db()
    assert session.status == S.UPLOADING


def test_a_retry_finds_the_failed_job_of_each_session(superuser: User) -> None:
    make_session()  # so that no job has the key of its session
    failed = make_session(S.UPLOADING)
    well = make_session(S.UPLOADING)
    make_job(failed, JobKind.STORE, state=JobState.FAILED)
    make_job(well, JobKind.STORE, state=JobState.FAILED)
    make_job(well, JobKind.STORE, state=JobState.SUCCEEDED)
    both = UploadSession.objects.filter(pk__in=[failed.pk, well.pk])

    order = orders.draft("retry", both, superuser)

    assert dict(order.item_set.values_list("session", "obstacle")) == {
        failed.pk: Obstacle.NONE,
        well.pk: Obstacle.NOTHING_FAILED,
    }
