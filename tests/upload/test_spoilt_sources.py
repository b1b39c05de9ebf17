"""A source that was spoilt under a job: named, never taken as good or waited for."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.make import make_destination, make_session, run
from tests.upload.http import stored_files
from upload import jobs
from upload.models import UploadSession
from upload.states import JobKind, JobState, SessionStatus

pytestmark = pytest.mark.django_db(transaction=True)
GOOD, SPOILT = b"alpha" * 4000, b"omega" * 4000


def cut(path: Path) -> None:
    os.truncate(path, 10)


def change(path: Path) -> None:
    path.chmod(0o600)
    path.write_bytes(b"x" * len(SPOILT))


def put_link(path: Path) -> None:
    secret = path.with_name("secret")
    secret.write_bytes(SPOILT)
    path.unlink()
    path.symlink_to(secret)


def put_fifo(path: Path) -> None:
    path.unlink()
    os.mkfifo(path)


def put_folder(path: Path) -> None:
    path.unlink()
    path.mkdir()


SPOILERS = [Path.unlink, cut, change, put_link, put_fifo, put_folder]


def spoil(alias: str, how: Callable[[Path], Any]) -> None:
    """Spoil the bytes of the second file."""
    [path] = [p for p in stored_files(alias) if p.read_bytes() == SPOILT]
    how(path)


def session_with_two(status: SessionStatus) -> UploadSession:
    return make_session(status, {"good.txt": GOOD, "spoilt.txt": SPOILT})


def outcomes(job: Any) -> dict[str, bool]:
    return {item.name: item.outcome == "done" for item in job.item_set.all()}


@pytest.mark.parametrize("how", SPOILERS, ids=lambda how: how.__name__)
def test_a_copy_names_a_spoilt_source_and_copies_the_others(
    how: Callable[[Path], Any], tmp_path: Path
) -> None:
    session = session_with_two(SessionStatus.STORED)
    place = make_destination(tmp_path / "destinations" / "archive")
    job = jobs.request(session, JobKind.COPY, None, destination=place)
    spoil("uploaded", how)

    run(job)

    session.refresh_from_db()
    copies = [p for p in Path(place.folder).rglob("*.txt") if p.is_file()]
    assert [p.read_bytes() for p in copies] == [GOOD]
    assert outcomes(job) == {"good.txt": True, "spoilt.txt": False}
    assert (job.state, session.status) == (JobState.FAILED, SessionStatus.STORED)


@pytest.mark.parametrize("how", SPOILERS, ids=lambda how: how.__name__)
def test_a_store_names_a_spoilt_source_and_stores_the_others(
    how: Callable[[Path], Any],
) -> None:
    session = session_with_two(SessionStatus.UPLOADING)
    job = jobs.request(session, JobKind.STORE, None)
    spoil("temp", how)

    run(job)

    session.refresh_from_db()
    assert [p.read_bytes() for p in stored_files("uploaded")] == [GOOD]
    assert outcomes(job) == {"good.txt": True, "spoilt.txt": False}
    assert job.state == JobState.FAILED
    assert session.status == SessionStatus.COPYING_FAILED
