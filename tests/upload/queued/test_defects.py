"""What the package of old did wrong, the first four of its seven defects."""

from pathlib import Path
from typing import Any

import pytest
from django.core.cache import cache
from django.core.files.base import ContentFile
from django.utils import timezone

from tests.upload.queued.faulty import HERE
from tests.upload.queued.made import (
    DELETING_TASK,
    between_folders,
    content,
    faulty,
    known,
    to_remote,
    work,
)
from tests.upload.queued.remotes import entry_of
from upload.queued_storage import watch
from upload.queued_storage.models import QueuedFile

pytestmark = pytest.mark.django_db(transaction=True)


# 1. The cache was the truth.


@pytest.mark.parametrize("task", [None, DELETING_TASK])
def test_a_flushed_cache_loses_nothing(tmp_path: Path, task: str | None) -> None:
    storage = between_folders(tmp_path, task=task)
    storage.save("a.txt", ContentFile(b"bytes"))
    work()

    cache.clear()

    assert content(storage, "a.txt") == b"bytes"
    assert storage.using_remote("a.txt") is True
    assert storage.url("a.txt") == "/there/a.txt"


def test_a_forged_cache_shows_no_other_file(tmp_path: Path) -> None:
    storage = between_folders(tmp_path, task=DELETING_TASK)
    storage.save("a.txt", ContentFile(b"bytes"))
    work()

    cache.set(storage.get_cache_key("a.txt"), True)
    cache.set(storage.get_cache_key("b.txt"), True)

    assert content(storage, "a.txt") == b"bytes"
    assert storage.size("a.txt") == 5
    assert storage.exists("b.txt") is False


def test_a_foreign_object_of_the_name_is_not_the_file(tmp_path: Path) -> None:
    (tmp_path / "there").mkdir()
    (tmp_path / "there/a.txt").write_bytes(b"a stranger's")
    storage = between_folders(tmp_path)

    storage.save("a.txt", ContentFile(b"ours"))

    assert content(storage, "a.txt") == b"ours"
    assert storage.url("a.txt") == "/here/a.txt"


def test_a_cache_that_is_away_makes_nothing_wrong(
    tmp_path: Path, settings: Any
) -> None:
    settings.CACHES = {"default": {"BACKEND": f"{HERE}.CacheAway"}}
    storage = between_folders(tmp_path)

    storage.save("a.txt", ContentFile(b"bytes"))
    work()

    assert content(storage, "a.txt") == b"bytes"


# 2. The key was made from the requested name.


@pytest.mark.parametrize("task", [None, DELETING_TASK])
def test_two_files_of_one_wanted_name_stay_apart(
    tmp_path: Path, task: str | None
) -> None:
    storage = between_folders(tmp_path, task=task)
    first = storage.save("a.txt", ContentFile(b"first"))
    second = storage.save("a.txt", ContentFile(b"second"))

    work()

    assert content(storage, first) == b"first"
    assert content(storage, second) == b"second"
    assert (tmp_path / "there" / second).read_bytes() == b"second"


# 3. The remote's own renaming was ignored; sending twice left orphans.


def test_a_strangers_object_is_not_touched_and_both_names_are_kept(
    tmp_path: Path,
) -> None:
    (tmp_path / "there").mkdir()
    (tmp_path / "there/a.txt").write_bytes(b"a stranger's")
    storage = between_folders(tmp_path, task=DELETING_TASK)
    storage.save("a.txt", ContentFile(b"ours"))

    work()

    row = known(storage, "a.txt")
    assert (tmp_path / "there/a.txt").read_bytes() == b"a stranger's"
    assert row.remote_name != "a.txt"
    assert content(storage, "a.txt") == b"ours"
    assert content(storage.get_storage("a.txt"), "a.txt") == b"ours"


def test_a_remote_that_renames_is_believed(tmp_path: Path) -> None:
    storage = faulty("Renaming", tmp_path, task=DELETING_TASK)
    storage.save("a.txt", ContentFile(b"bytes"))

    work()

    assert known(storage, "a.txt").remote_name == "kept/a.txt"
    assert content(storage, "a.txt") == b"bytes"
    assert storage.url("a.txt") == "/there/kept/a.txt"


@pytest.mark.parametrize("kind", ["s3", "sftp-rclone", "ftp"])
def test_sending_twice_is_one_object(
    tmp_path: Path, kind: str, request: pytest.FixtureRequest
) -> None:
    storage = to_remote(tmp_path, entry_of(kind, request))
    storage.save("a.txt", ContentFile(b"bytes"))
    work()
    # As a crash between the last byte and the row leaves it.
    QueuedFile.objects.update(
        state="due", transferred_at=None, next_run_at=timezone.now()
    )

    watch.recover()
    work()

    assert known(storage, "a.txt").state == "both"
    assert storage.remote.listdir("") == ([], ["a.txt"])


def test_two_storages_never_promise_one_name_of_a_remote(tmp_path: Path) -> None:
    there = {"location": str(tmp_path / "there"), "base_url": "/there/"}
    one, other = (
        between_folders(tmp_path / name, remote_options=there) for name in ("1", "2")
    )

    one.save("a.txt", ContentFile(b"same"))
    name = other.save("a.txt", ContentFile(b"same"))
    work()
    one.delete("a.txt")
    work()

    assert content(other.get_storage(name), name) == b"same"


# 4. The local file was deleted after a truncated write.


@pytest.mark.parametrize("kind", ["Truncating", "Spoiling"])
def test_nothing_local_goes_before_the_remote_was_verified(
    tmp_path: Path, settings: Any, kind: str
) -> None:
    settings.QUEUED_STORAGE_RETRIES = 0
    storage = faulty(kind, tmp_path, task=DELETING_TASK)
    storage.save("a.txt", ContentFile(b"bytes"))

    work()

    assert known(storage, "a.txt").state == "failed"
    assert "a.txt" in known(storage, "a.txt").error
    assert content(storage, "a.txt") == b"bytes"
    assert list((tmp_path / "there").iterdir()) == []


def test_a_spoilt_local_file_is_not_sent(tmp_path: Path, settings: Any) -> None:
    settings.QUEUED_STORAGE_RETRIES = 0
    storage = between_folders(tmp_path, task=DELETING_TASK)
    storage.save("a.txt", ContentFile(b"bytes"))
    (tmp_path / "here/a.txt").write_bytes(b"other")

    work()

    assert known(storage, "a.txt").state == "failed"
    assert not (tmp_path / "there/a.txt").exists()
