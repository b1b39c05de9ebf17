"""The pages of the queue: nothing of it is written, opened or unpickled."""

import pickle
from pathlib import Path
from typing import Any

from django.contrib import admin
from django.db import connection
from django_q.models import OrmQ, Success

from portal.models import User
from tests.admin_ext.pages import QUEUE, admin_url, make_tasks
from tests.make import make_job, make_session
from tests.people import ClientFor
from upload.models import (
    WorkerBeat,
)
from upload.states import JobKind, SessionStatus

S = SessionStatus


def test_every_model_of_the_queue_is_registered_by_us() -> None:
    registered = {m for m in admin.site._registry if m._meta.app_label == "django_q"}

    assert registered == set(QUEUE)
    assert {type(admin.site._registry[m]).__module__ for m in registered} == {
        "admin_ext.queue"
    }


class Bomb:
    """Makes a file where it is unpickled."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __deepcopy__(self, memo: Any) -> "Bomb":
        return self  # the field copies what it writes; that alone must not explode

    def __reduce__(self) -> Any:
        return (Path.touch, (self.path,))


def plant_bomb(path: Path) -> None:
    """Write an unsigned pickle where a task keeps its arguments and result."""
    make_tasks()
    Success.objects.filter(pk="a" * 32).update(result=Bomb(path))
    with connection.cursor() as cursor:
        cursor.execute("UPDATE django_q_task SET args = result, kwargs = result")


def test_looking_at_a_task_unpickles_nothing(
    tmp_path: Path, superuser: User, client_for: ClientFor
) -> None:
    plant_bomb(tmp_path / "exploded")
    client = client_for(superuser)

    for page, args in (
        ("changelist", ()),
        ("change", ("a" * 32,)),
        ("history", ("a" * 32,)),
    ):
        assert client.get(admin_url(Success, page, *args)).status_code == 200

    assert not (tmp_path / "exploded").exists()
    assert Success.objects.get(pk="a" * 32).result is None  # the bomb was live
    assert (tmp_path / "exploded").exists()


def test_a_waiting_task_is_shown_without_its_payload(
    superuser: User, client_for: ClientFor
) -> None:
    payload = pickle.dumps({"func": "os.system"}).hex()
    task = OrmQ.objects.create(key="long", payload=payload)

    page = (
        client_for(superuser).get(admin_url(OrmQ, "change", task.pk)).content.decode()
    )

    assert "long" in page
    assert payload not in page


def test_queue_health_counts_jobs_and_tasks(
    superuser: User, client_for: ClientFor
) -> None:
    make_job(make_session(S.UPLOADING), JobKind.STORE, state="running")
    OrmQ.objects.create(key="long", payload="x")

    page = client_for(superuser).get(admin_url(WorkerBeat, "changelist"))

    assert page.context["queues"] == [{"key": "long", "tasks": 1, "taken": 0}]
    assert '<dd data-count="running">1</dd>' in page.content.decode()
