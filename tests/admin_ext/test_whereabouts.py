"""The admin says where a permanent file's bytes are; who may store, may transfer."""

from pathlib import Path
from typing import Any

import pytest
from django.core.files.storage import storages
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from portal import places
from tests.admin_ext.pages import admin_url
from tests.make import make_session
from tests.people import ClientFor
from tests.upload.queued.made import work
from upload.models import PermUploadedFile, SessionEvent
from upload.queued_storage.models import QueuedFile
from upload.states import SessionStatus

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def file(settings: Any, storages_in_tmp: Path) -> PermUploadedFile:
    """A permanent file with a second place, in a folder beside."""
    remote = {
        "BACKEND": "upload.storage.DurableFileSystemStorage",
        "OPTIONS": {"location": str(storages_in_tmp / "elsewhere")},
    }
    entry = places.uploaded(settings.UPLOAD_STORAGE_FOLDER, remote, keep_local=True)
    settings.STORAGES = settings.STORAGES | {"uploaded": entry}
    session = make_session(SessionStatus.STORED, {"a.txt": b"alpha"})
    return session.permuploadedfile_set.get()


def page_of(client: Any, file: PermUploadedFile) -> str:
    return client.get(admin_url(PermUploadedFile, "change", file.pk)).content.decode()


def transfer_url(file: PermUploadedFile) -> str:
    return reverse("admin:upload_permuploadedfile_transfer", args=[file.pk])


def mark(**values: Any) -> None:
    QueuedFile.objects.update(**values)


def test_list_and_page_say_where_the_bytes_are(
    file: PermUploadedFile, clerk: Any, client_for: ClientFor
) -> None:
    client = client_for(clerk)
    assert "waiting for its transfer" in page_of(client, file)

    work()

    assert "local and remote" in page_of(client, file)
    listed = client.get(admin_url(PermUploadedFile, "changelist")).content.decode()
    assert "local and remote" in listed


def test_a_failed_transfer_is_retried_from_its_page(
    file: PermUploadedFile, clerk: Any, client_for: ClientFor
) -> None:
    mark(state="failed", attempts=6, error="<b>no route</b>", next_run_at=None)
    client = client_for(clerk)
    page = page_of(client, file)
    assert "Retry" in page
    assert "&lt;b&gt;no route&lt;/b&gt;" in page

    answer = client.post(transfer_url(file), follow=True).content.decode()

    assert "will be transferred now" in answer
    work()
    assert QueuedFile.objects.get().state == "both"
    event = SessionEvent.objects.get(code="upload.session.transfer_asked")
    assert (event.actor, event.detail["name"]) == (clerk, "a.txt")


def test_a_file_that_waits_is_transferred_now(
    file: PermUploadedFile, clerk: Any, client_for: ClientFor
) -> None:
    mark(state="local", next_run_at=None)
    assert "Transfer now" in page_of(client_for(clerk), file)

    client_for(clerk).post(transfer_url(file))
    work()

    assert QueuedFile.objects.get().state == "both"


def test_what_was_transferred_has_no_button_and_no_event(
    file: PermUploadedFile, clerk: Any, client_for: ClientFor
) -> None:
    work()
    client = client_for(clerk)

    answer = client.post(transfer_url(file), follow=True).content.decode()

    assert "transferred already" in answer
    assert "Transfer now" not in answer
    assert not SessionEvent.objects.filter(code__endswith="transfer_asked").exists()


@pytest.mark.parametrize("person", ["auditor", "manager", "nobody", "uploader"])
def test_who_may_not_store_may_not_transfer(
    person: str,
    file: PermUploadedFile,
    request: pytest.FixtureRequest,
    client_for: ClientFor,
) -> None:
    mark(state="failed", next_run_at=None)
    client = client_for(request.getfixturevalue(person))

    answer = client.post(transfer_url(file))

    assert answer.status_code in {302, 403}
    assert "Retry" not in page_of(client, file)
    assert QueuedFile.objects.get().state == "failed"


def test_nothing_is_transferred_by_get(
    file: PermUploadedFile, superuser: Any, client_for: ClientFor
) -> None:
    mark(state="failed", next_run_at=None)

    answer = client_for(superuser).get(transfer_url(file))

    assert answer.status_code == 405
    assert QueuedFile.objects.get().state == "failed"


def test_a_file_whose_bytes_are_gone_is_told(
    file: PermUploadedFile, superuser: Any, client_for: ClientFor
) -> None:
    QueuedFile.objects.all().delete()
    storage: Any = storages["uploaded"]
    storage.local.delete(file.file_upload.name)

    answer = client_for(superuser).post(transfer_url(file), follow=True)

    assert "has no bytes in its storage" in answer.content.decode()


def test_without_a_second_place_nothing_is_shown(
    superuser: Any, client_for: ClientFor
) -> None:
    session = make_session(SessionStatus.STORED, {"a.txt": b"alpha"})
    file = session.permuploadedfile_set.get()
    client = client_for(superuser)

    assert "Where its bytes are" not in page_of(client, file)
    assert client.post(transfer_url(file)).status_code == 404


def test_the_list_asks_for_all_its_files_at_once(
    settings: Any,
    file: PermUploadedFile,
    superuser: Any,
    client_for: ClientFor,
    django_assert_num_queries: Any,
) -> None:
    url = admin_url(PermUploadedFile, "changelist")
    client = client_for(superuser)
    with CaptureQueriesContext(connection) as one:
        client.get(url)
    make_session(SessionStatus.STORED, {f"{n}.txt": b"x" for n in range(9)})

    with django_assert_num_queries(len(one)):
        client.get(url)
