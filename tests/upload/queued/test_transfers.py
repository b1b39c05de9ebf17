"""A file is saved here at once and is on the remote once a worker has been at it."""

import warnings
from pathlib import Path
from typing import Any

import pytest
from django.core.cache import CacheKeyWarning, cache
from django.core.files.base import ContentFile
from django.db import transaction

from tests.upload.queued.made import (
    DELETING_TASK,
    between_folders,
    content,
    known,
    queued,
    work,
)
from upload.queued_storage.conf import settings as queued_settings
from upload.queued_storage.models import QueuedFile
from upload.queued_storage.signals import file_transferred

pytestmark = pytest.mark.django_db(transaction=True)


def test_a_saved_file_is_local_and_due(tmp_path: Path) -> None:
    storage = between_folders(tmp_path)

    name = storage.save("a.txt", ContentFile(b"bytes"))

    assert (tmp_path / "here/a.txt").read_bytes() == b"bytes"
    assert not (tmp_path / "there/a.txt").exists()
    assert storage.using_local(name) is True
    row = known(storage, name)
    assert (row.state, row.size) == ("due", 5)
    assert len(row.sha256) == 64


def test_a_worker_transfers_what_is_due(tmp_path: Path) -> None:
    storage = between_folders(tmp_path)
    name = storage.save("a/b.txt", ContentFile(b"bytes"))

    work()

    assert (tmp_path / "there/a/b.txt").read_bytes() == b"bytes"
    assert storage.using_remote(name) is True
    assert storage.url(name) == "/there/a/b.txt"
    assert known(storage, name).state == "both"


def test_a_thousand_saves_queue_one_task(tmp_path: Path) -> None:
    storage = between_folders(tmp_path)

    for number in range(20):
        storage.save(f"{number}.txt", ContentFile(b"x"))

    assert len(queued()) == 1
    work()
    assert QueuedFile.objects.filter(state="both").count() == 20


def test_a_file_saved_while_a_task_runs_asks_for_another(tmp_path: Path) -> None:
    storage = between_folders(tmp_path)
    storage.save("a.txt", ContentFile(b"x"))
    work()

    storage.save("b.txt", ContentFile(b"x"))

    assert len(queued()) == 1


def test_a_delayed_storage_waits_for_a_hand(tmp_path: Path) -> None:
    storage = between_folders(tmp_path, delayed=True)
    name = storage.save("a.txt", ContentFile(b"x"))
    assert queued() == []

    row = storage.transfer(name)
    work()

    assert row.state == "due"
    assert known(storage, name).state == "both"


def test_a_file_of_an_earlier_time_is_transferred_by_hand(tmp_path: Path) -> None:
    storage = between_folders(tmp_path)
    (tmp_path / "here").mkdir()
    (tmp_path / "here/old.txt").write_bytes(b"old")

    storage.transfer("old.txt")
    work()

    assert (tmp_path / "there/old.txt").read_bytes() == b"old"
    assert len(known(storage, "old.txt").sha256) == 64


def test_a_key_of_any_length_is_set_after_the_transfer(tmp_path: Path) -> None:
    storage = between_folders(tmp_path, delayed=True)
    storage.save("a.txt", ContentFile(b"x"))

    with warnings.catch_warnings(action="ignore", category=CacheKeyWarning):
        storage.transfer("a.txt", "k" * 300)
        work()

        assert cache.get("k" * 300)


def test_a_transfer_of_nothing_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        between_folders(tmp_path).transfer("nothing.txt")


def test_the_local_file_goes_after_the_transfer(tmp_path: Path) -> None:
    storage = between_folders(tmp_path, task=DELETING_TASK)
    name = storage.save("a.txt", ContentFile(b"bytes"))

    work()

    assert not (tmp_path / "here/a.txt").exists()
    assert content(storage, name) == b"bytes"
    assert (storage.size(name), storage.exists(name)) == (5, True)
    assert storage.listdir("") == ([], ["a.txt"])
    with pytest.raises(NotImplementedError):
        storage.path(name)


def test_a_name_is_free_when_both_sides_are(tmp_path: Path) -> None:
    storage = between_folders(tmp_path, task=DELETING_TASK)
    storage.save("a.txt", ContentFile(b"first"))
    work()

    second = storage.save("a.txt", ContentFile(b"second"))

    assert second != "a.txt"
    assert content(storage, "a.txt") == b"first"


def test_receivers_hear_of_a_settled_transfer(tmp_path: Path) -> None:
    storage = between_folders(tmp_path)
    heard: list[Any] = []

    def hear(sender: Any, name: str, local: Any, remote: Any, **kwargs: Any) -> None:
        heard.append((sender.name, name, remote.url(name), known(storage, name).state))
        raise RuntimeError("a receiver's own error")

    file_transferred.connect(hear)
    try:
        storage.save("a.txt", ContentFile(b"x"))
        work()
    finally:
        file_transferred.disconnect(hear)

    task = "upload.queued_storage.tasks.Transfer"
    assert heard == [(task, "a.txt", "/there/a.txt", "both")]


def test_settings_are_read_at_each_use(settings: Any) -> None:
    assert queued_settings.QUEUED_STORAGE_RETRIES == 5

    settings.QUEUED_STORAGE_RETRIES = 2

    assert queued_settings.QUEUED_STORAGE_RETRIES == 2
    with pytest.raises(AttributeError):
        _ = queued_settings.QUEUED_STORAGE_NOTHING


def test_the_row_follows_the_transaction(tmp_path: Path) -> None:
    storage = between_folders(tmp_path)

    with transaction.atomic():
        storage.save("a.txt", ContentFile(b"x"))
        assert queued() == []

    assert len(queued()) == 1
