"""The files on the page of a session: what is told of each, and at what cost."""

import re
from typing import Any

import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import FileSystemStorage
from django.core.files.storage import storages as all_storages
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from pytest_django import DjangoAssertNumQueries

from portal.models import User
from tests.make import make_session
from tests.people import ClientFor
from upload.models import TempUploadedFile, UploadSession
from upload.states import SessionStatus

S = SessionStatus


def url_of(session: UploadSession) -> str:
    return reverse("admin:upload_uploadsession_change", args=[session.pk])


def test_the_page_lists_files_with_digest_and_urls(
    clerk: User, client_for: ClientFor
) -> None:
    session = make_session(S.UPLOADING, {"a.txt": b"alpha"})
    file = session.tempuploadedfile_set.get()

    page = client_for(clerk).get(url_of(session)).content.decode()

    assert file.sha256 in page
    assert file.get_file_access_url() in page
    assert file.get_file_media_url() in page


def test_a_missing_file_is_told_and_has_no_media_url(
    clerk: User, client_for: ClientFor
) -> None:
    session = make_session(S.UPLOADING, {"a.txt": b"alpha"})
    file = session.tempuploadedfile_set.get()
    media_url = file.get_file_media_url()
    file.file_upload.storage.delete(file.file_upload.name)

    page = client_for(clerk).get(url_of(session)).content.decode()

    assert '<strong class="mu-missing">missing</strong>' in page
    assert media_url not in page


class SilentStorage(FileSystemStorage):
    """A remote storage that does not answer."""

    def exists(self, name: str) -> bool:
        raise RuntimeError("timeout")


def test_a_storage_that_does_not_answer_is_shown_as_unknown(
    settings: Any, clerk: User, client_for: ClientFor
) -> None:
    session = make_session(S.UPLOADING, {"a.txt": b"alpha"})
    silent = f"{__name__}.{SilentStorage.__qualname__}"
    settings.STORAGES = settings.STORAGES | {"temp": {"BACKEND": silent}}

    page = client_for(clerk).get(url_of(session))

    assert page.status_code == 200
    assert "unknown" in page.content.decode()


def test_hostile_names_are_shown_harmlessly(clerk: User, client_for: ClientFor) -> None:
    session = make_session(S.UPLOADING, {"a.txt": b"alpha"})
    name = "<img src=x onerror=alert(1)>{{7*7}}\u202efdp.exe"
    TempUploadedFile.objects.update(name=name, relative_path="<b>x</b>")

    page = client_for(clerk).get(url_of(session)).content.decode()

    assert "<img src=x" not in page
    assert "<b>x</b>" not in page
    assert "{{7*7}}[U+202E]fdp.exe" in page


def many_files(session: UploadSession, count: int) -> None:
    """Insert rows that share one real file, so that each of them exists."""
    key = all_storages["temp"].save("shared.bin", ContentFile(b"x"))
    TempUploadedFile.objects.bulk_create(
        TempUploadedFile(
            session=session,
            name=f"a rather ordinary name of file number {number:05}.tiff",
            file_upload=key,
            sha256="ab" * 32,
            size=1,
            content_type="image/tiff",
        )
        for number in range(count)
    )


def test_a_page_of_5000_files_stays_small(
    clerk: User,
    client_for: ClientFor,
    django_assert_max_num_queries: DjangoAssertNumQueries,
) -> None:
    session, client = make_session(S.UPLOADING), client_for(clerk)
    many_files(session, 5000)

    with django_assert_max_num_queries(30):
        page = client.get(url_of(session))

    assert page.status_code == 200
    assert len(page.content) < 300_000


def test_the_number_of_queries_does_not_depend_on_the_number_of_files(
    clerk: User,
    client_for: ClientFor,
    django_assert_num_queries: DjangoAssertNumQueries,
) -> None:
    session, client = make_session(S.UPLOADING), client_for(clerk)
    client.get(url_of(session))  # a process asks for its content types once
    with CaptureQueriesContext(connection) as few:
        client.get(url_of(session))
    many_files(session, 200)

    with django_assert_num_queries(len(few)):
        client.get(url_of(session))


def test_pages_show_all_files_once(clerk: User, client_for: ClientFor) -> None:
    session, client = make_session(S.CREATED), client_for(clerk)
    many_files(session, 120)

    pages = [
        client.get(url_of(session), {"temporary": number}).content.decode()
        for number in (1, 2, 3)
    ]

    shown = [re.findall(r"file number (\d{5})\.tiff</bdi>", page) for page in pages]
    assert [len(numbers) for numbers in shown] == [50, 50, 20]
    assert len({number for numbers in shown for number in numbers}) == 120


@pytest.mark.parametrize("number", ["0", "-1", "x", "9" * 30, "99", "²"])
def test_a_page_that_is_none_is_no_error(
    number: str, clerk: User, client_for: ClientFor
) -> None:
    session = make_session(S.UPLOADING)

    page = client_for(clerk).get(url_of(session), {"temporary": number})

    assert page.status_code == 200


def test_the_next_page_keeps_the_other_parameters(
    clerk: User, client_for: ClientFor
) -> None:
    session = make_session(S.UPLOADING)
    many_files(session, 60)

    page = client_for(clerk).get(url_of(session), {"permanent": "1", "x": "&<"})

    expected = "?permanent=1&amp;x=%26%3C&amp;temporary=2#temporary"
    assert expected in page.content.decode()


def test_an_auditor_sees_the_addresses_and_is_offered_no_contents(
    auditor: User, client_for: ClientFor
) -> None:
    session = make_session(S.STORED)
    file = session.permuploadedfile_set.first()

    page = client_for(auditor).get(url_of(session)).content.decode()

    assert f'data-copy-url="{file.get_file_access_url()}"' in page
    assert f'href="{file.get_file_access_url()}"' not in page
