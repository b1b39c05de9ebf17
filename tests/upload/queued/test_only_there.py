"""Files that only the remote has and no row knows, as the package of old left them."""

from pathlib import Path
from typing import Any

import pytest
from django.core.exceptions import SuspiciousFileOperation
from django.core.files.base import ContentFile

from tests.upload.queued.faulty import HERE
from tests.upload.queued.made import (
    DELETING_TASK,
    FILE_SYSTEM,
    between_folders,
    content,
    faulty,
    known,
    queued,
    work,
)
from upload.queued_storage.backends import QueuedStorage
from upload.queued_storage.models import QueuedFile

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "there/d").mkdir(parents=True)
    (tmp_path / "there/old.txt").write_bytes(b"old")
    return tmp_path


def test_its_url_is_the_remotes_and_it_has_no_path(folder: Path) -> None:
    storage = between_folders(folder)

    assert storage.url("old.txt") == "/there/old.txt"
    with pytest.raises(NotImplementedError, match=r"“old\.txt” is on the remote only"):
        storage.path("old.txt")


def test_what_is_nowhere_has_the_url_and_path_that_it_would_have(folder: Path) -> None:
    storage = between_folders(folder)

    assert storage.url("new.txt") == "/here/new.txt"
    assert storage.path("new.txt") == str(folder / "here/new.txt")
    assert storage.url("") == storage.local.url("")
    assert storage.path("") == storage.local.path("")


@pytest.mark.parametrize("task", [None, DELETING_TASK])
def test_the_remote_is_not_asked_for_a_known_file(
    tmp_path: Path, task: str | None
) -> None:
    there = {"location": str(tmp_path / "there"), "base_url": "/there/"}
    storage = between_folders(tmp_path, task=task, remote_options=there)
    storage.save("a.txt", ContentFile(b"x"))
    work()
    again = QueuedStorage(
        FILE_SYSTEM, f"{HERE}.Untouchable", storage.local_options, there
    )
    QueuedFile.objects.update(name_digest=again.name_digest("a.txt"))

    assert again.url("a.txt") == "/there/a.txt"
    if task is None:
        assert again.path("a.txt").endswith("here/a.txt")
    else:
        with pytest.raises(NotImplementedError):
            again.path("a.txt")


def test_transferring_it_says_that_it_is_there(folder: Path) -> None:
    storage = between_folders(folder)

    row = storage.transfer("./old.txt")

    assert (row.name, row.state, row.size) == ("old.txt", "remote", 3)
    assert queued() == []
    assert known(storage, "old.txt") == row == storage.transfer("old.txt")
    assert content(storage, "old.txt") == b"old"
    storage.delete("old.txt")
    work()
    assert not (folder / "there/old.txt").exists()


def test_another_files_object_is_not_taken_on(folder: Path) -> None:
    storage = faulty("Renaming", folder)
    storage.save("a.txt", ContentFile(b"x"))
    work()

    with pytest.raises(FileNotFoundError):
        storage.transfer("kept/a.txt")


@pytest.mark.parametrize("side", ["here", "there"])
def test_a_folder_is_not_transferred(folder: Path, side: str) -> None:
    (folder / side / "f").mkdir(parents=True)

    with pytest.raises(IsADirectoryError):
        between_folders(folder).transfer("f")

    assert QueuedFile.objects.count() == 0


@pytest.mark.parametrize("name", [".", "..", "d/..", "../old.txt"])
def test_no_name_is_no_file(folder: Path, name: Any) -> None:
    with pytest.raises(SuspiciousFileOperation):
        between_folders(folder).transfer(name)

    assert QueuedFile.objects.count() == 0


def test_a_name_that_is_nowhere_is_told(folder: Path) -> None:
    storage = between_folders(folder)

    with pytest.raises(FileNotFoundError, match=r"“nope\.txt” is neither in the local"):
        storage.transfer("nope.txt")


def test_a_file_that_is_being_deleted_is_told(folder: Path) -> None:
    storage = between_folders(folder)
    storage.save("a.txt", ContentFile(b"x"))
    work()
    storage.delete("a.txt")

    with pytest.raises(FileNotFoundError, match=r"“a\.txt” is being deleted"):
        storage.transfer("a.txt")
