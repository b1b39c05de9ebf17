"""The broker hands out allowed tasks only, and schedules name nothing else."""

import socket
from datetime import UTC, datetime
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.utils.module_loading import import_string
from django_q.brokers import get_broker
from django_q.models import OrmQ, Schedule
from django_q.signing import SignedPackage
from django_q.tasks import async_task

from upload import broker, queues, schedules, tasks
from upload.cluster import Cluster

LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)
pytestmark = pytest.mark.django_db(transaction=True)


def test_the_settings_name_our_broker() -> None:
    assert isinstance(get_broker(), broker.AllowListBroker)


def test_an_allowed_task_is_handed_out() -> None:
    async_task("upload.tasks.recover_jobs")

    assert len(get_broker().dequeue() or []) == 1


def test_a_heartbeat_is_handed_out_on_the_host_that_asked_for_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    queues.push_heartbeat(queues.SHORT)

    with monkeypatch.context() as elsewhere:
        elsewhere.setattr(socket, "gethostname", lambda: "another-host")
        assert not get_broker(queues.SHORT).dequeue()
    assert len(get_broker(queues.SHORT).dequeue() or []) == 1


def test_a_healthy_host_hides_no_other_hosts_silence(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    cluster = Cluster(queues.SHORT, 1, tmp_path / "stop", asked_at=1, alive_at=2)

    with monkeypatch.context() as elsewhere:
        elsewhere.setattr(socket, "gethostname", lambda: "another-host")
        tasks.heartbeat(queues.SHORT)
    cluster.look_for_life()
    assert cluster.alive_at == 2

    tasks.heartbeat(queues.SHORT)
    cluster.look_for_life()
    assert cluster.alive_at > 2


@pytest.mark.parametrize(
    ("func", "options"),
    [
        ("os.system", {}),
        ("upload.recovery.recover", {}),
        ("upload.tasks.recover_jobs", {"hook": "os.system"}),
        ("upload.tasks.recover_jobs", {"chain": [("os.system", ("true",))]}),
    ],
)
def test_a_task_outside_the_list_is_dropped(func: str, options: dict[str, Any]) -> None:
    async_task(func, **options)

    assert not get_broker().dequeue()
    assert not OrmQ.objects.exists()


def test_a_task_with_a_bad_signature_is_kept_but_not_run() -> None:
    OrmQ.objects.create(key=get_broker().list_key, payload="forged", lock=LONG_AGO)

    assert not get_broker().dequeue()
    assert OrmQ.objects.count() == 1


def test_a_forged_schedule_row_runs_nothing() -> None:
    from django_q.scheduler import scheduler

    Schedule.objects.create(func="os.system", args="'true'", next_run=LONG_AGO)
    scheduler(broker=get_broker())
    assert SignedPackage.loads(OrmQ.objects.get().payload)["func"] == "os.system"

    assert not get_broker().dequeue()


def test_every_allowed_task_exists() -> None:
    for path in broker.ALLOWED_TASKS:
        assert ".tasks." in path
        assert callable(import_string(path))


def test_sync_makes_the_schedules_true_and_deletes_strangers() -> None:
    Schedule.objects.create(name="evil", func="os.system")
    Schedule.objects.create(name=schedules.PLANNED[0].name, func="os.system")

    schedules.sync()
    schedules.sync()

    assert sorted(Schedule.objects.values_list("name", "func")) == sorted(
        (p.name, p.func) for p in schedules.PLANNED
    )


def test_every_schedule_names_an_allowed_task() -> None:
    assert {p.func for p in schedules.PLANNED} <= broker.ALLOWED_TASKS


def test_the_command_syncs() -> None:
    call_command("sync_schedules", stdout=StringIO())

    assert Schedule.objects.count() == len(schedules.PLANNED)
