"""Whatever becomes of a response, its file does not stay open."""

import os
from pathlib import Path
from typing import Any

import pytest
from django.db import OperationalError

from tests.make import make_session
from upload import access
from upload.states import SessionStatus

pytestmark = [
    pytest.mark.django_db,
    pytest.mark.skipif(not Path("/proc/self/fd").is_dir(), reason="Linux tells them."),
]


@pytest.fixture
def file() -> Any:
    session = make_session(SessionStatus.STORED, {"a.txt": b"0123456789"})
    return session.permuploadedfile_set.get()


def open_files(file: Any) -> list[str]:
    """Return this process's descriptors of the file."""
    path = Path(file.file_upload.path)
    found = []
    for number in os.listdir("/proc/self/fd"):  # noqa: PTH208 - names of links
        link = Path("/proc/self/fd", number)
        if link.exists() and path.samefile(link):
            found.append(number)
    return found


@pytest.mark.parametrize("headers", [{}, {"Range": "bytes=2-4"}])
def test_a_response_that_nobody_reads_closes_its_file(
    client_for: Any, clerk: Any, file: Any, headers: dict[str, str]
) -> None:
    response = client_for(clerk).get(file.get_file_access_url(), headers=headers)
    assert len(open_files(file)) == 1

    response.close()

    assert open_files(file) == []


def test_an_opening_that_cannot_be_logged_closes_its_file(
    client_for: Any, clerk: Any, file: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept = []

    def busy(*args: Any) -> None:
        kept.append(open_files(file))
        raise OperationalError("database is locked")

    monkeypatch.setattr(access, "log", busy)

    response = client_for(clerk).get(file.get_file_access_url())

    assert response.status_code == 503
    assert [len(found) for found in kept] == [1]
    assert open_files(file) == []
