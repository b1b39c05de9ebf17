"""A copy to exFAT: no links, no case, no owners, and other rules for names."""

import subprocess
import unicodedata
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.faults.mounts import exfat, require_mounting
from tests.make import make_destination, make_session, run
from tests.services.system import require_program
from upload import jobs
from upload.models import FileCopy
from upload.states import JobKind, JobState, SessionStatus

NFC, NFD = (unicodedata.normalize(form, "é.txt") for form in ("NFC", "NFD"))
NAMES = ("A.txt", "a.TXT", NFC, NFD, "CON", "a?b.txt", "ends with dot.")


@pytest.fixture
def disk(storages_in_tmp: Path) -> Iterator[Path]:
    require_mounting()
    require_program("mkfs.exfat")
    require_program("mount.exfat-fuse")
    place = storages_in_tmp / "destinations" / "stick"
    place.mkdir()
    with exfat(storages_in_tmp / "stick.img", place, size_mib=16):
        yield place


@pytest.mark.django_db(transaction=True)
def test_files_whose_names_collide_there_all_arrive(disk: Path, clerk: Any) -> None:
    files = {name: f"bytes of {name!a}".encode() for name in NAMES}
    session = make_session(SessionStatus.STORED, files)
    stick = make_destination(disk)

    job = run(jobs.request(session, JobKind.COPY, clerk, destination=stick))

    assert (job.error, job.state) == ("", JobState.SUCCEEDED)
    copies = FileCopy.objects.filter(session=session)
    read = {c.name: (disk / c.target_key).read_bytes() for c in copies}
    assert read == files
    names = [c.target_key.casefold() for c in copies]
    assert len(set(names)) == len(NAMES)


@pytest.mark.django_db(transaction=True)
def test_copying_there_again_writes_nothing(disk: Path, clerk: Any) -> None:
    session = make_session(SessionStatus.STORED)
    stick = make_destination(disk)
    run(jobs.request(session, JobKind.COPY, clerk, destination=stick))
    before = listing(disk)

    job = run(jobs.request(session, JobKind.COPY, clerk, destination=stick))

    assert job.state == JobState.SUCCEEDED
    assert listing(disk) == before


def listing(folder: Path) -> str:
    command = ["find", str(folder), "-type", "f", "-printf", "%P %s %T@\n"]
    return subprocess.run(command, capture_output=True, check=True, text=True).stdout
