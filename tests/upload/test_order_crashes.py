"""Bulk orders that are killed, doubled, stopped or broken: nothing is done twice."""

import signal
import subprocess
import sys
import time
from collections import Counter
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.utils import timezone
from django_q.models import OrmQ

from portal.models import User
from tests.make import make_session
from tests.racing import race
from tests.upload.ordering import ALL, ordered, outcomes, ran, reasons
from upload import (
    discard,
    lease,
    order_deeds,
    order_expiry,
    order_runs,
    orders,
    recovery,
    tasks,
)
from upload.models import (
    BulkItem,
    BulkOrder,
    Job,
    SessionEvent,
    TempUploadedFile,
    UploadSession,
)
from upload.states import OrderState
from upload.states import SessionStatus as S

on_real_commits = pytest.mark.django_db(transaction=True)
RUN = (
    "import django; django.setup();"
    "from upload import order_expiry, tasks; order_expiry.BATCH = 5;"
    "import sys; tasks.run_order(int(sys.argv[1]))"
)


class Died(BaseException):
    """Ends a slice where it stands, as the queue's timeout does."""


def expired_events() -> Counter[int | None]:
    rows = SessionEvent.objects.filter(code="upload.session.expired")
    return Counter(rows.values_list("session", flat=True))


def let_leases_run_out() -> None:
    BulkOrder.objects.update(lease_until=timezone.now() - timedelta(seconds=1))


def once_each(count: int) -> bool:
    return list(expired_events().values()) == [1] * count


@on_real_commits
def test_a_killed_worker_leaves_an_order_that_is_finished_without_doing_one_twice(
    clerk: User, program_environment: dict[str, str]
) -> None:
    for _n in range(120):
        make_session(S.UPLOADING, {"a.txt": b"alpha"})
    order = ordered("expire", clerk)
    program = [sys.executable, "-c", RUN, str(order.pk)]
    worker = subprocess.Popen(program, env=program_environment)

    until = time.monotonic() + 60
    while not expired_events() and time.monotonic() < until:
        assert worker.poll() is None
    worker.send_signal(signal.SIGKILL)
    worker.wait()

    order.refresh_from_db()
    assert (order.state, order.attempts) == (OrderState.RUNNING, 1)
    assert 0 < len(expired_events()) < 120
    let_leases_run_out()
    order.refresh_from_db()
    assert ran(order).state == OrderState.SUCCEEDED
    assert outcomes(order) == ["done"] * 120
    assert once_each(120)
    assert not TempUploadedFile.objects.exists()


@on_real_commits
@pytest.mark.parametrize("place", ["expired_files", "delete_rows", "count_files_anew"])
def test_an_order_that_dies_between_its_steps_goes_on(
    place: str, clerk: User, monkeypatch: Any
) -> None:
    def die(*_args: Any) -> Any:
        raise Died

    keys = [f.file_upload.path for _n in range(3) for f in made_files()]
    order = ordered("expire", clerk)
    owner = discard.transitions if place == "count_files_anew" else discard
    with monkeypatch.context() as broken:
        broken.setattr(owner, place, die)
        with pytest.raises(Died):
            tasks.run_order(order.pk)

    BulkOrder.objects.update(next_run_at=timezone.now())
    order.refresh_from_db()
    assert outcomes(order) == ["closed"] * 3
    assert ran(order).state == OrderState.SUCCEEDED
    assert once_each(3)
    assert not any(Path(key).exists() for key in keys)


def made_files() -> Any:
    return make_session(S.UPLOADING).get_temporary_uploads()


@on_real_commits
def test_a_worker_that_dies_while_it_asks_for_jobs_asks_for_none_twice(
    clerk: User, monkeypatch: Any
) -> None:
    for _n in range(4):
        make_session(S.UPLOADING)
    order = ordered("store", clerk)
    monkeypatch.setattr(order_runs, "BATCH", 2)
    act, left = order_deeds.act, iter([True, True, True, False])

    def act_three_times(case: Any) -> None:
        if not next(left, True):
            raise Died
        act(case)

    with monkeypatch.context() as broken:
        broken.setattr(order_deeds, "act", act_three_times)
        with pytest.raises(Died):
            tasks.run_order(order.pk)
    assert Job.objects.count() == 2

    BulkOrder.objects.update(next_run_at=timezone.now())
    order.refresh_from_db()
    assert ran(order).state == OrderState.SUCCEEDED
    assert set(outcomes(order)) == {"queued"}
    jobs = Job.objects.filter(order=order)
    assert sorted(jobs.values_list("session", flat=True)) == sorted(
        ALL().values_list("pk", flat=True)
    )


@on_real_commits
def test_a_task_that_is_delivered_many_times_does_each_session_once(
    clerk: User,
) -> None:
    for _n in range(6):
        make_session(S.UPLOADING, {"a.txt": b"alpha"})
    order = ordered("expire", clerk)

    race(4, lambda _i: tasks.run_order(order.pk))

    order.refresh_from_db()
    assert ran(order).state == OrderState.SUCCEEDED
    assert once_each(6)


@on_real_commits
def test_a_worker_that_lost_its_lease_closes_nothing(clerk: User) -> None:
    make_session(S.UPLOADING)
    ordered("expire", clerk)
    stale = lease.claim_order(BulkOrder.objects.get())
    assert stale is not None
    let_leases_run_out()
    assert lease.claim_order(BulkOrder.objects.get()) is not None

    with pytest.raises(order_runs.LeaseLost):
        order_expiry.close(stale, clerk, list(BulkItem.objects.all()))

    assert UploadSession.objects.get().status == S.UPLOADING
    assert not expired_events()


@on_real_commits
def test_an_order_that_is_stopped_leaves_the_rest_as_it_was(
    clerk: User, monkeypatch: Any
) -> None:
    for _n in range(5):
        make_session(S.UPLOADING)
    order = ordered("expire", clerk)
    monkeypatch.setattr(order_expiry, "BATCH", 2)
    close = order_expiry.close

    def close_and_cancel(*args: Any) -> None:
        close(*args)
        orders.cancel(BulkOrder.objects.get(), clerk)

    monkeypatch.setattr(order_expiry, "close", close_and_cancel)
    ran(order)

    assert order.state == OrderState.CANCELLED
    assert outcomes(order) == ["done", "done", "left", "left", "left"]
    assert ALL().filter(status=S.UPLOADING).count() == 3
    assert TempUploadedFile.objects.filter(session__status=S.EXPIRED).count() == 0


@on_real_commits
def test_one_session_that_cannot_be_closed_stops_nobody(
    clerk: User, monkeypatch: Any
) -> None:
    bad, *_others = [make_session(S.UPLOADING) for _n in range(3)]
    order = ordered("expire", clerk)
    contents = order_expiry.expiry.contents

    def broken(session: Any) -> Any:
        if session.pk == bad.pk:
            raise ZeroDivisionError("broken row")
        return contents(session)

    monkeypatch.setattr(order_expiry.expiry, "contents", broken)
    ran(order)

    assert outcomes(order) == ["failed", "done", "done"]
    assert reasons(order)[0] == "broken row"


@on_real_commits
def test_one_session_whose_job_cannot_be_made_stops_nobody(
    clerk: User, monkeypatch: Any
) -> None:
    bad, *_others = [make_session(S.UPLOADING) for _n in range(3)]
    order = ordered("store", clerk)
    place = order_deeds.jobs.place

    def broken(session: Any, *args: Any, **values: Any) -> Any:
        if session.pk == bad.pk:
            place(session, *args, **values)
            raise ZeroDivisionError("broken row")
        return place(session, *args, **values)

    monkeypatch.setattr(order_deeds.jobs, "place", broken)
    ran(order)

    assert outcomes(order) == ["failed", "queued", "queued"]
    assert not bad.job_set.exists()


@on_real_commits
def test_an_order_queues_some_jobs_and_goes_on_when_they_have_ended(
    clerk: User, monkeypatch: Any
) -> None:
    monkeypatch.setattr(orders, "MOST_JOBS", 2)
    monkeypatch.setattr(orders, "FEW_JOBS", 0)
    for _n in range(3):
        make_session(S.UPLOADING)

    order = ran(ordered("store", clerk))
    assert (order.state, outcomes(order).count("queued")) == (OrderState.QUEUED, 2)
    first, second = Job.objects.order_by("pk")
    tasks.run_job(first.pk)
    order.refresh_from_db()
    assert order.next_run_at > timezone.now()

    tasks.run_job(second.pk)
    order.refresh_from_db()

    assert ran(order).state == OrderState.SUCCEEDED
    assert outcomes(order) == ["queued"] * 3


@on_real_commits
def test_the_watchdog_queues_a_lost_order_and_fails_a_spent_one(clerk: User) -> None:
    make_session(S.UPLOADING)
    lost, spent = ordered("expire", clerk), ordered("expire", clerk)
    OrmQ.objects.all().delete()
    long_ago = timezone.now() - timedelta(hours=1)
    BulkOrder.objects.update(enqueued_at=long_ago, next_run_at=long_ago)
    BulkOrder.objects.filter(pk=spent.pk).update(attempts=5, error="Out of luck.")

    recovery.recover()

    spent.refresh_from_db()
    assert (spent.state, outcomes(spent)) == (OrderState.FAILED, ["left"])
    assert "Out of luck." in spent.error
    assert OrmQ.objects.count() == 1
    assert ran(lost).state == OrderState.SUCCEEDED


@on_real_commits
def test_drafts_that_nobody_confirms_are_deleted_after_a_day(clerk: User) -> None:
    make_session(S.UPLOADING)
    old, fresh = (orders.draft("expire", ALL(), clerk) for _n in range(2))
    kept = ordered("expire", clerk)
    days_ago = timezone.now() - timedelta(days=2)
    BulkOrder.objects.exclude(pk=fresh.pk).update(created_at=days_ago)

    tasks.delete_expired_sessions()

    assert set(BulkOrder.objects.all()) == {fresh, kept}
    assert not BulkItem.objects.filter(order=old.pk).exists()
