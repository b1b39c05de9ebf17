"""What the package of old did wrong, the last three of its seven defects."""

from pathlib import Path
from typing import Any

import pytest
from django.core.files.base import ContentFile
from django.db import transaction

from tests.upload.queued.made import (
    DELETING_TASK,
    between_folders,
    content,
    faulty,
    known,
    queued,
    to_remote,
    work,
)
from tests.upload.queued.remotes import entry_of, made
from upload.queued_storage.models import QueuedFile

pytestmark = pytest.mark.django_db(transaction=True)


# 5. delete, exists and listdir looked at one side only.


@pytest.mark.parametrize("task", [None, DELETING_TASK])
def test_deleting_deletes_on_both_sides(tmp_path: Path, task: str | None) -> None:
    storage = between_folders(tmp_path, task=task)
    storage.save("a.txt", ContentFile(b"bytes"))
    work()

    storage.delete("a.txt")

    assert storage.exists("a.txt") is False
    assert storage.listdir("") == ([], [])
    with pytest.raises(FileNotFoundError):
        storage.open("a.txt")
    work()
    assert not (tmp_path / "here/a.txt").exists()
    assert not (tmp_path / "there/a.txt").exists()
    assert QueuedFile.objects.count() == 0


def test_deleting_before_the_transfer_leaves_a_strangers_object(
    tmp_path: Path,
) -> None:
    (tmp_path / "there").mkdir()
    (tmp_path / "there/a.txt").write_bytes(b"a stranger's")
    storage = between_folders(tmp_path)
    storage.save("a.txt", ContentFile(b"ours"))

    storage.delete("a.txt")
    work()

    assert (tmp_path / "there/a.txt").read_bytes() == b"a stranger's"
    assert QueuedFile.objects.count() == 0


def test_a_deletion_waits_until_the_remote_is_back(
    tmp_path: Path, settings: Any
) -> None:
    settings.QUEUED_STORAGE_RETRY_DELAY = 0
    storage = faulty("Away", tmp_path)
    storage.save("a.txt", ContentFile(b"bytes"))
    work()
    (tmp_path / "away").touch()

    storage.delete("a.txt")
    work()

    assert storage.exists("a.txt") is False
    assert (tmp_path / "there/a.txt").exists()
    (tmp_path / "away").unlink()
    storage.save("b.txt", ContentFile(b"x"))
    work()
    assert not (tmp_path / "there/a.txt").exists()


def test_a_file_that_only_the_remote_knows_is_read(tmp_path: Path) -> None:
    (tmp_path / "there").mkdir()
    (tmp_path / "there/old.txt").write_bytes(b"old")
    storage = between_folders(tmp_path)

    assert storage.exists("old.txt") is True
    assert content(storage, "old.txt") == b"old"
    storage.delete("old.txt")
    assert storage.exists("old.txt") is False


# 6. Nothing was recorded; a killed worker lost the transfer; the task ran before the
# commit or survived a rollback; credentials travelled in the task.


def test_after_the_last_retry_the_row_says_why(tmp_path: Path, settings: Any) -> None:
    settings.QUEUED_STORAGE_RETRIES = 2
    settings.QUEUED_STORAGE_RETRY_DELAY = 0
    storage = faulty("Away", tmp_path)
    (tmp_path / "away").touch()
    storage.save("a.txt", ContentFile(b"bytes"))

    work()

    row = known(storage, "a.txt")
    assert (row.state, row.attempts) == ("failed", 3)
    assert "no route to ftp://…@host/x" in row.error
    assert content(storage, "a.txt") == b"bytes"


def test_a_failed_transfer_is_asked_for_again(tmp_path: Path, settings: Any) -> None:
    settings.QUEUED_STORAGE_RETRIES = 0
    storage = faulty("Away", tmp_path)
    (tmp_path / "away").touch()
    storage.save("a.txt", ContentFile(b"bytes"))
    work()
    (tmp_path / "away").unlink()

    storage.transfer("a.txt")
    work()

    row = known(storage, "a.txt")
    assert (row.state, row.error) == ("both", "")


def test_the_task_waits_for_the_commit(tmp_path: Path) -> None:
    storage = between_folders(tmp_path)

    with transaction.atomic():
        storage.save("a.txt", ContentFile(b"x"))
        storage.delete("a.txt")
        assert queued() == []
        assert (tmp_path / "here/a.txt").exists()
    assert not (tmp_path / "here/a.txt").exists()


def test_a_rollback_queues_and_deletes_nothing(tmp_path: Path) -> None:
    storage = between_folders(tmp_path)
    storage.save("kept.txt", ContentFile(b"x"))
    work()

    with transaction.atomic():
        storage.save("a.txt", ContentFile(b"x"))
        storage.delete("kept.txt")
        transaction.set_rollback(True)

    assert queued() == []
    assert QueuedFile.objects.get().name == "kept.txt"
    assert content(storage, "kept.txt") == b"x"


def test_neither_row_nor_task_carries_an_option(
    tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    entry = entry_of("sftp-rclone", request)
    storage = to_remote(tmp_path, entry)
    storage.save("a.txt", ContentFile(b"x"))

    told = f"{queued()} {list(QueuedFile.objects.values())}"

    for value in ("password", entry["OPTIONS"]["password"], entry["OPTIONS"]["host"]):
        assert value not in told
    assert made(entry).exists("a.txt") is False


# 7. Two storages with one prefix shared keys; long keys failed; handles stayed open.


def test_two_storages_with_one_prefix_share_no_keys(tmp_path: Path) -> None:
    one, other = (between_folders(tmp_path / name, cache_prefix="p") for name in "ab")

    one.save("a.txt", ContentFile(b"x"))
    work()

    assert one.get_cache_key("a.txt") != other.get_cache_key("a.txt")
    assert one.get_cache_key("a.txt").startswith("p:")
    assert other.exists("a.txt") is False


def test_a_key_is_short_whatever_the_name(tmp_path: Path) -> None:
    storage = between_folders(tmp_path, cache_prefix="a long prefix " * 40)

    key = storage.get_cache_key("é" * 3000)

    assert len(key) < 250
    assert key.isascii()
    assert " " not in key


def test_long_names_are_kept_apart(tmp_path: Path) -> None:
    storage = between_folders(tmp_path)
    folder = "/".join(["f" * 200] * 12)

    for name in ("a", "b"):
        storage.save(f"{folder}/{name}", ContentFile(name.encode()))
    work()

    assert content(storage, f"{folder}/a") == b"a"
    assert QueuedFile.objects.filter(state="both").count() == 2


def test_a_long_name_that_is_taken_on_the_remote_is_shortened(tmp_path: Path) -> None:
    name = f"{'é' * 125}.txt"
    (tmp_path / "there").mkdir()
    (tmp_path / "there" / name).write_bytes(b"a stranger's")
    storage = between_folders(tmp_path, task=DELETING_TASK)
    storage.save(name, ContentFile(b"ours"))

    work()

    assert known(storage, name).state == "remote"
    assert content(storage, name) == b"ours"


def test_another_cache_prefix_forgets_no_file(tmp_path: Path) -> None:
    (tmp_path / "there").mkdir()
    (tmp_path / "there/a.txt").write_bytes(b"a stranger's")
    storage = between_folders(tmp_path, task=DELETING_TASK)
    storage.save("a.txt", ContentFile(b"ours"))
    work()

    again = between_folders(tmp_path, task=DELETING_TASK, cache_prefix="another")

    assert content(again, "a.txt") == b"ours"


def test_a_changed_password_changes_no_key(
    tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    entry = entry_of("sftp-rclone", request)
    before = to_remote(tmp_path, entry)
    entry["OPTIONS"] |= {"password": "another-word"}

    entry["OPTIONS"] |= {
        "host_keys": ["ssh-ed25519 AAAA", *entry["OPTIONS"]["host_keys"]]
    }
    assert to_remote(tmp_path, entry).storage_key == before.storage_key
    entry["OPTIONS"] |= {"root": "elsewhere"}
    assert to_remote(tmp_path, entry).storage_key != before.storage_key


def test_no_file_stays_open(tmp_path: Path) -> None:
    storage = between_folders(tmp_path, task=DELETING_TASK)
    for number in range(8):
        storage.save(f"{number}.txt", ContentFile(b"x"))
    work()

    places = _open_places()

    assert [place for place in places if place.startswith(str(tmp_path))] == []


def _open_places() -> list[str]:
    links = Path("/proc/self/fd").iterdir()
    return [str(link.readlink()) for link in links if link.is_symlink()]
