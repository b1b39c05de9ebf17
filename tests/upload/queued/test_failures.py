"""What fails is recorded, tried again, and stops no other file."""

from pathlib import Path
from typing import Any

import pytest
from django.core.files.base import ContentFile
from django.db import transaction

from tests.upload.queued.faulty import HERE, Together
from tests.upload.queued.made import (
    DELETING_TASK,
    FILE_SYSTEM,
    between_folders,
    faulty,
    known,
    work,
)
from upload.queued_storage import draining, hints, registry, tasks
from upload.queued_storage.backends import QueuedStorage
from upload.queued_storage.models import QueuedFile

pytestmark = pytest.mark.django_db(transaction=True)


class Tireless(tasks.Transfer):
    """Tries for ever, as Celery understands None."""

    max_retries = None


class Needy(tasks.Transfer):
    """Cannot be made from its path alone."""

    def __init__(self, place: str) -> None:
        self.place = place


def save_before_it_was_lost(storage: QueuedStorage, task: str) -> None:
    """Save ``a.txt`` as a process did in which the task could still be made."""
    storage._has_task = True
    storage.task = task
    registry.register(storage)
    storage.save("a.txt", ContentFile(b"x"))


def test_an_expired_certificate_is_tried_again(tmp_path: Path) -> None:
    storage = faulty("Uncertified", tmp_path)
    storage.save("a.txt", ContentFile(b"x"))

    work()

    row = known(storage, "a.txt")
    assert (row.state, row.attempts) == ("due", 1)
    assert "certificate has expired" in row.error


@pytest.mark.parametrize(
    "task", ["queued_storage.tasks.Transfer", f"{__name__}.Needy", f"{__name__}.work"]
)
def test_a_task_that_cannot_be_made_is_told_by_its_file(
    tmp_path: Path, settings: Any, task: str
) -> None:
    settings.QUEUED_STORAGE_RETRIES = 0
    storage = between_folders(tmp_path)
    save_before_it_was_lost(storage, task)

    work()

    row = known(storage, "a.txt")
    assert row.state == "failed"
    assert task in row.error


def test_a_task_that_cannot_be_made_stops_no_other(tmp_path: Path) -> None:
    wrong = between_folders(tmp_path)
    save_before_it_was_lost(wrong, "queued_storage.tasks.Transfer")
    right = between_folders(tmp_path)
    right.save("b.txt", ContentFile(b"x"))

    work()

    assert known(right, "b.txt").state == "both"


def test_one_name_for_two_files_is_told_and_shared_by_none(
    tmp_path: Path, settings: Any
) -> None:
    settings.QUEUED_STORAGE_RETRIES = 0
    storage = faulty("Summing", tmp_path)
    for name in ("a.txt", "b.txt"):
        storage.save(name, ContentFile(b"same"))

    work()

    rows = [known(storage, name) for name in ("a.txt", "b.txt")]
    assert sorted(row.state for row in rows) == ["both", "failed"]
    assert any("another file's" in row.error for row in rows)
    assert len(list((tmp_path / "there").iterdir())) == 1


def test_an_alias_that_cannot_be_made_stops_no_other(
    tmp_path: Path, settings: Any, caplog: pytest.LogCaptureFixture
) -> None:
    queued = "upload.queued_storage.backends.QueuedStorage"
    settings.STORAGES = settings.STORAGES | {
        "gone": {"BACKEND": "no.such.Storage"},
        "wrong": {"BACKEND": queued, "OPTIONS": {"local": FILE_SYSTEM}},
    }
    storage = between_folders(tmp_path)
    storage.save("a.txt", ContentFile(b"x"))

    work()

    assert known(storage, "a.txt").state == "both"
    assert "STORAGES['gone']: ModuleNotFoundError" in caplog.text
    assert "STORAGES['wrong']: ImproperlyConfigured" in caplog.text


def test_a_hint_does_not_bring_a_deleted_file_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    storage = between_folders(tmp_path)
    storage.save("a.txt", ContentFile(b"x"))
    work()

    def busy(name: str) -> None:
        raise OSError("busy")

    monkeypatch.setattr(storage.local, "delete", busy)
    with transaction.atomic():
        storage.delete("a.txt")
        # As a reader does to whom the row says "both" until the commit.
        hints.say_local(storage.get_cache_key("a.txt"))

    assert storage.exists("a.txt") is False
    with pytest.raises(FileNotFoundError):
        storage.open("a.txt")


def test_a_task_may_try_for_ever(tmp_path: Path) -> None:
    storage = faulty("Uncertified", tmp_path, task=f"{__name__}.Tireless")
    storage.save("a.txt", ContentFile(b"x"))

    work()

    assert known(storage, "a.txt").state == "due"


def test_a_local_file_that_stays_stops_no_other(tmp_path: Path) -> None:
    storage = QueuedStorage(
        f"{HERE}.Clinging",
        FILE_SYSTEM,
        {"location": str(tmp_path / "here")},
        {"location": str(tmp_path / "there")},
        task=DELETING_TASK,
    )
    for name in ("a.txt", "b.txt"):
        storage.save(name, ContentFile(b"x"))

    work()

    assert known(storage, "a.txt").error == "RuntimeError: ftp://…@host/a.txt"
    assert known(storage, "a.txt").state == "remote"
    assert not (tmp_path / "here/b.txt").exists()


def test_files_without_a_storage_are_told_by_name(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    storage = between_folders(tmp_path)
    for name in ("a.txt", "b.txt"):
        storage.save(name, ContentFile(b"x"))
    QueuedFile.objects.update(storage="of an earlier place")

    assert tasks.drain("of an earlier place") == "no such storage"

    assert "2 files wait, “a.txt” for one" in caplog.text


def test_of_long_files_four_go_at_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(draining, "LONG_BYTES", 0)
    storage = faulty("Together", tmp_path)
    for number in range(8):
        storage.save(f"{number}.txt", ContentFile(b"bytes"))

    work()

    assert all(known(storage, f"{n}.txt").state == "both" for n in range(8))
    assert Together.most == 4
