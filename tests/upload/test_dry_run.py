"""What a copy would do, said without writing a byte."""

import shutil
from pathlib import Path
from typing import Any

import pytest

from tests.make import make_destination, make_session, run
from upload import dry_run, jobs
from upload.models import Destination, UploadSession
from upload.states import JobKind, SessionStatus
from upload.targets import MARKER, FolderTarget

pytestmark = pytest.mark.django_db
FILES = {"a:b.txt": b"1", "c.txt": b"22", "C.txt": b"333"}


@pytest.fixture
def archive(tmp_path: Path) -> Destination:
    return make_destination(tmp_path / "destinations" / "one")


@pytest.fixture
def session() -> UploadSession:
    return make_session(SessionStatus.STORED, FILES)


def test_a_dry_run_counts_and_writes_nothing(
    session: UploadSession, archive: Destination
) -> None:
    before = Path(archive.folder).stat().st_mtime_ns

    found = dry_run.preview([session, make_session(SessionStatus.STORED)], archive)

    assert (found.files, found.size_bytes, found.needed_bytes) == (5, 17, 17)
    assert (found.fits, found.problem, found.arranged_files) == (True, "", 5)
    assert [path.name for path in Path(archive.folder).iterdir()] == [MARKER]
    assert Path(archive.folder).stat().st_mtime_ns == before


def test_a_dry_run_names_paths_and_those_that_change(
    session: UploadSession, archive: Destination
) -> None:
    found = dry_run.preview([session], archive)

    assert [planned.original for planned in found.planned] == list(FILES)
    assert {(planned.original, planned.path) for planned in found.renamed} == {
        ("a:b.txt", f"{session.uuid}/a%3Ab.txt"),
        ("c.txt", f"{session.uuid}/c (2).txt"),
    }


@pytest.mark.django_db(transaction=True)
def test_a_dry_run_knows_what_was_copied_before(
    session: UploadSession, archive: Destination
) -> None:
    run(jobs.request(session, JobKind.COPY, None, destination=archive))

    found = dry_run.preview([session], archive)

    assert (found.known_files, found.needed_bytes) == (3, 0)
    assert all(planned.already for planned in found.planned)


def test_a_dry_run_says_that_it_does_not_fit(
    session: UploadSession, archive: Destination, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(FolderTarget, "free_bytes", lambda self: 5)

    found = dry_run.preview([session], archive)

    assert found.fits is False
    assert "does not fit" in found.problem


@pytest.mark.parametrize("unmounted", [True, False])
def test_a_dry_run_says_that_the_destination_is_not_there(
    session: UploadSession, archive: Destination, unmounted: bool
) -> None:
    shutil.rmtree(archive.folder)
    if unmounted:
        Path(archive.folder).mkdir()

    found = dry_run.preview([session], archive)

    assert ("is it mounted?" if unmounted else "is missing") in found.problem


def test_a_dry_run_arranges_no_more_files_than_a_page_can_wait_for(
    session: UploadSession, archive: Destination, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dry_run, "MOST_ARRANGED", 2)

    found = dry_run.preview([session], archive)

    assert (found.files, found.arranged_files, found.planned) == (3, 0, [])


def test_the_number_of_queries_does_not_grow_with_files(
    archive: Destination, django_assert_max_num_queries: Any
) -> None:
    many = {f"{number}.txt": b"x" for number in range(30)}
    sessions = [make_session(SessionStatus.STORED, many)]

    with django_assert_max_num_queries(4):
        dry_run.preview(sessions, archive)
