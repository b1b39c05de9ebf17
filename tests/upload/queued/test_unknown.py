"""Files that no row knows: of an earlier time, or another storage's."""

from pathlib import Path

import pytest
from django.core.files.base import ContentFile
from django.db import transaction

from tests.upload.queued.made import (
    DELETING_TASK,
    between_folders,
    content,
    faulty,
    known,
    work,
)

pytestmark = pytest.mark.django_db(transaction=True)


def lay(folder: Path, side: str, content: bytes) -> Path:
    """Put ``a.txt`` into a side by other means than the storage."""
    place = folder / side / "a.txt"
    place.parent.mkdir(exist_ok=True)
    place.write_bytes(content)
    return place


def test_what_the_package_of_old_left_on_both_sides_is_deleted_on_both(
    tmp_path: Path,
) -> None:
    here, there = (lay(tmp_path, side, b"old") for side in ("here", "there"))
    storage = between_folders(tmp_path)

    storage.delete("a.txt")

    assert not here.exists()
    assert not there.exists()
    assert storage.exists("a.txt") is False


def test_other_bytes_of_the_name_are_left_on_the_remote(tmp_path: Path) -> None:
    here, there = lay(tmp_path, "here", b"old"), lay(tmp_path, "there", b"new")

    between_folders(tmp_path).delete("a.txt")

    assert not here.exists()
    assert there.read_bytes() == b"new"


def test_a_remote_that_is_away_keeps_no_local_file(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    here, _there = (lay(tmp_path, side, b"old") for side in ("here", "there"))
    (tmp_path / "away").touch()

    faulty("Away", tmp_path).delete("a.txt")

    assert not here.exists()
    assert "a.txt: deleted locally only: ConnectionError" in caplog.text
    assert "word-of-the-test" not in caplog.text


@pytest.mark.parametrize("side", ["here", "there"])
def test_a_rollback_deletes_nothing_unknown(tmp_path: Path, side: str) -> None:
    place = lay(tmp_path, side, b"old")
    storage = between_folders(tmp_path)

    with transaction.atomic():
        storage.delete("a.txt")
        transaction.set_rollback(True)

    assert place.read_bytes() == b"old"


def test_a_file_asked_for_by_another_spelling_has_one_name(tmp_path: Path) -> None:
    lay(tmp_path, "here", b"old")
    storage = between_folders(tmp_path)

    storage.transfer("./a.txt")
    work()

    assert known(storage, "a.txt").name == "a.txt"
    assert storage.listdir("") == ([], ["a.txt"])


def test_two_may_ask_for_a_file_at_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lay(tmp_path, "here", b"old")
    storage = between_folders(tmp_path)
    is_there = storage.local.exists

    def other_asks(name: str) -> bool:
        monkeypatch.undo()
        storage.transfer("a.txt")
        return is_there(name)

    monkeypatch.setattr(storage.local, "exists", other_asks)

    assert storage.transfer("a.txt") == known(storage, "a.txt")


def test_deleting_once_more_leaves_another_storages_only_copy(tmp_path: Path) -> None:
    there = {"location": str(tmp_path / "there"), "base_url": "/there/"}
    one, other = (
        between_folders(tmp_path / name, remote_options=there, task=DELETING_TASK)
        for name in ("1", "2")
    )
    one.save("a.txt", ContentFile(b"one's"))
    work()

    other.delete("a.txt")

    assert content(one, "a.txt") == b"one's"


def test_deleting_by_the_remotes_name_leaves_the_only_copy(tmp_path: Path) -> None:
    lay(tmp_path, "there", b"a stranger's")
    storage = between_folders(tmp_path, task=DELETING_TASK)
    storage.save("a.txt", ContentFile(b"ours"))
    work()

    storage.delete(known(storage, "a.txt").remote_name)

    assert content(storage, "a.txt") == b"ours"
