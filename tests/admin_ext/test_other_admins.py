"""The remaining model admins: who sees them, and that they change what they should."""

from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import Group
from django.urls import reverse
from django.utils import timezone

from portal.models import User
from tests.admin_ext.pages import QUEUE, admin_url, make_queue_rows
from tests.make import make_job, make_session
from tests.people import ClientFor
from upload.models import (
    AccessLog,
    Destination,
    FileCopy,
    Job,
    PermUploadedFile,
    SessionEvent,
    Submission,
    TempUploadedFile,
    UploadSession,
    WorkerBeat,
)
from upload.states import JobKind, SessionStatus

S = SessionStatus
UNTOUCHABLE = [
    *QUEUE,
    AccessLog,
    FileCopy,
    Job,
    PermUploadedFile,
    SessionEvent,
    TempUploadedFile,
    UploadSession,
    WorkerBeat,
]


@pytest.fixture
def rows(superuser: User) -> dict[Any, Any]:
    """Return the key of one row of each model that nobody changes."""
    stored = make_session(S.STORED)
    session = make_session(S.UPLOADING)
    make_queue_rows()
    WorkerBeat.objects.create(queue="default", seen_at=timezone.now())
    make_job(session, JobKind.STORE)
    place = {"session": stored, "session_uuid": stored.uuid, "file_uuid": stored.uuid}
    AccessLog.objects.create(**place, name="a", user_name="u", action="view")
    FileCopy.objects.create(**place, name="a", place="p", size_bytes=1, sha256="a")
    return {model: model._default_manager.first().pk for model in UNTOUCHABLE}


@pytest.mark.parametrize("model", UNTOUCHABLE)
def test_not_even_a_superuser_writes(
    model: Any, rows: dict[Any, Any], superuser: User, client_for: ClientFor
) -> None:
    client, pk = client_for(superuser), rows[model]
    urls = [admin_url(model, "add"), admin_url(model, "delete", pk)]

    statuses = [client.post(url, {"post": "yes"}).status_code for url in urls]
    statuses += [client.get(url).status_code for url in urls]
    statuses += [client.post(admin_url(model, "change", pk), {"x": 1}).status_code]

    assert statuses == [403] * 5
    assert model._default_manager.filter(pk=pk).exists()


@pytest.mark.parametrize("model", UNTOUCHABLE)
def test_a_superuser_sees_the_list_and_the_page(
    model: Any, rows: dict[Any, Any], superuser: User, client_for: ClientFor
) -> None:
    client = client_for(superuser)
    urls = [admin_url(model, "changelist"), admin_url(model, "change", rows[model])]

    assert [client.get(url).status_code for url in urls] == [200, 200]


@pytest.mark.parametrize("model", UNTOUCHABLE)
def test_no_bulk_action_deletes(
    model: Any, rows: dict[Any, Any], superuser: User, client_for: ClientFor
) -> None:
    form = {"action": "delete_selected", "_selected_action": rows[model], "post": "yes"}

    client_for(superuser).post(admin_url(model, "changelist"), form)

    assert model._default_manager.filter(pk=rows[model]).exists()


@pytest.mark.parametrize("person", ["clerk", "manager", "auditor", "nobody"])
@pytest.mark.parametrize("model", [*QUEUE, WorkerBeat, User, Group])
def test_the_roles_see_neither_the_queue_nor_people(
    model: Any, person: str, request: pytest.FixtureRequest, client_for: ClientFor
) -> None:
    client = client_for(request.getfixturevalue(person))

    statuses = [
        client.get(admin_url(model, p)).status_code for p in ("changelist", "add")
    ]

    assert statuses == [403, 403]


def test_an_uploader_is_sent_to_the_sign_in(
    uploader: User, client_for: ClientFor
) -> None:
    session = make_session(S.UPLOADING, user=uploader)

    answer = client_for(uploader).get(admin_url(UploadSession, "change", session.pk))

    assert answer["Location"].startswith(reverse("admin:login"))


@pytest.mark.parametrize(
    ("person", "sees", "adds"),
    [("auditor", 200, 403), ("clerk", 403, 403), ("superuser", 200, 200)],
)
def test_destinations_are_set_up_by_permission(
    person: str,
    sees: int,
    adds: int,
    request: pytest.FixtureRequest,
    client_for: ClientFor,
) -> None:
    client = client_for(request.getfixturevalue(person))

    statuses = [
        client.get(admin_url(Destination, page)).status_code
        for page in ("changelist", "add")
    ]

    assert statuses == [sees, adds]


def test_a_destination_below_an_allowed_root_is_saved(
    storages_in_tmp: Path, superuser: User, client_for: ClientFor
) -> None:
    folder = storages_in_tmp / "destinations" / "box"
    folder.mkdir()
    form = {"name": "Box", "folder": str(folder), "layout": "plain", "enabled": "on"}

    client_for(superuser).post(admin_url(Destination, "add"), form)

    assert Destination.objects.get().folder == str(folder)


@pytest.mark.parametrize("folder", ["/", "/etc", "../x", "{tmp}/temp", "{tmp}/none"])
def test_a_destination_elsewhere_is_refused_with_a_reason(
    folder: str, storages_in_tmp: Path, superuser: User, client_for: ClientFor
) -> None:
    place = folder.format(tmp=storages_in_tmp)
    form = {"name": "Box", "folder": place, "layout": "plain", "enabled": "on"}

    page = client_for(superuser).post(admin_url(Destination, "add"), form)

    assert page.context["adminform"].form.errors["folder"]
    assert not Destination.objects.exists()


def test_a_clerk_describes_a_session_in_a_submission(
    clerk: User, client_for: ClientFor
) -> None:
    session = make_session(S.STORED)
    form = {"title": "Letters", "upload_session": session.pk, "user": "1"}

    client_for(clerk).post(admin_url(Submission, "add"), form)

    submission = Submission.objects.get()
    assert (submission.user, submission.upload_session) == (clerk, session)
