"""Workers that were paused past their lease, and wake up after others did the work."""

from pathlib import Path
from typing import Any

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.core.files.base import ContentFile
from django.db import transaction

from tests.upload.queued.made import (
    DELETING_TASK,
    between_folders,
    content,
    known,
    work,
)
from tests.upload.queued.test_deaths import attempted, let_leases_run_out
from upload.queued_storage import attempts, draining, queueing, records, settling, tasks
from upload.queued_storage.models import QueuedFile
from upload.queued_storage.sending import TransferStopped

pytestmark = pytest.mark.django_db(transaction=True)


def paused_at(look: int, storage: Any, row: QueuedFile) -> Any:
    """Attempt ``row``; at that look at its claim others do the work and it is lost."""
    looks = iter(range(1, 100))

    def check() -> None:
        if next(looks) == look:
            let_leases_run_out()
            work()
            raise TransferStopped

    sending = attempts.sending_of(row, check)
    task = draining.made_task(storage.task)
    return attempts.attempt(storage, task, row, sending)


@pytest.mark.parametrize("look", [2, 3])
def test_a_late_worker_leaves_the_only_copy(tmp_path: Path, look: int) -> None:
    storage = between_folders(tmp_path, task=DELETING_TASK)
    storage.save("a.txt", ContentFile(b"bytes"))
    row = records.claim(storage.storage_key, 1)[0]

    paused_at(look, storage, row)

    assert known(storage, "a.txt").state == "remote"
    assert content(storage, "a.txt") == b"bytes"


def test_a_piece_of_a_file_deleted_meanwhile_goes(tmp_path: Path) -> None:
    storage = between_folders(tmp_path)
    storage.save("a.txt", ContentFile(b"bytes"))
    row = records.claim(storage.storage_key, 1)[0]
    looks = iter(range(1, 100))

    def check() -> None:
        if next(looks) == 3:
            storage.delete("a.txt")
            raise TransferStopped

    task = draining.made_task(storage.task)
    attempts.attempt(storage, task, row, attempts.sending_of(row, check))

    assert not (tmp_path / "there/a.txt").exists()


def test_a_late_deletion_leaves_a_new_file_of_the_name(tmp_path: Path) -> None:
    storage = between_folders(tmp_path)
    storage.save("a.txt", ContentFile(b"old"))
    work()
    storage.delete("a.txt")
    row = records.claim(storage.storage_key, 1)[0]
    let_leases_run_out()
    work()
    storage.save("a.txt", ContentFile(b"new"))

    attempts.attempt(storage, None, row, attempts.sending_of(row, lambda: None))

    assert content(storage, "a.txt") == b"new"


def test_a_late_commit_leaves_a_new_file_of_the_name(tmp_path: Path) -> None:
    storage = between_folders(tmp_path)
    storage.save("a.txt", ContentFile(b"old"))
    work()

    with transaction.atomic():
        storage.delete("a.txt")
        transaction.on_commit(lambda: None)
        late = transaction.get_connection().run_on_commit[0][1]
        transaction.get_connection().run_on_commit.clear()
    tasks.drain(storage.storage_key)
    storage.save("a.txt", ContentFile(b"new"))
    late()

    assert content(storage, "a.txt") == b"new"


def test_a_commit_that_is_paused_leaves_a_new_file_of_the_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    storage = between_folders(tmp_path)
    storage.save("a.txt", ContentFile(b"old"))
    work()
    delete_now = storage.local.delete

    def paused(name: str) -> None:
        monkeypatch.undo()
        tasks.drain(storage.storage_key)
        storage.save("a.txt", ContentFile(b"new"))
        delete_now(name)

    monkeypatch.setattr(storage.local, "delete", paused)
    storage.delete("a.txt")
    work()

    new = QueuedFile.objects.get()
    assert content(storage, new.name) == b"new"
    assert not (tmp_path / "there/a.txt").exists()


def test_a_second_deletion_waits_for_the_transfer_as_well(tmp_path: Path) -> None:
    storage = between_folders(tmp_path)
    storage.save("a.txt", ContentFile(b"bytes"))
    records.claim(storage.storage_key, 1)  # and its process dies when it has sent it
    (tmp_path / "there").mkdir()
    (tmp_path / "there/a.txt").write_bytes(b"bytes")

    storage.delete("a.txt")
    storage.delete("a.txt")
    let_leases_run_out()
    work()

    assert not (tmp_path / "there/a.txt").exists()
    assert QueuedFile.objects.count() == 0


def test_a_file_asked_for_anew_and_deleted_goes_from_the_remote(
    tmp_path: Path, settings: Any
) -> None:
    settings.QUEUED_STORAGE_RETRIES = 0
    storage = between_folders(tmp_path)
    storage.save("a.txt", ContentFile(b"bytes"))
    row, _outcome = attempted(storage)  # sent, but its answer was lost
    settling.fail(row, "timed out")
    storage.transfer("a.txt")

    storage.delete("a.txt")
    work()

    assert not (tmp_path / "there/a.txt").exists()


def test_a_deletion_is_not_stopped_by_the_attempt_it_ended(tmp_path: Path) -> None:
    storage = between_folders(tmp_path)
    storage.save("a.txt", ContentFile(b"bytes"))
    row = records.claim(storage.storage_key, 1)[0]
    drain = draining.Drain(storage, {storage.task})
    storage.delete("a.txt")
    drain._lost |= records.renew([row])
    records.lost(row)

    drain.run()

    assert QueuedFile.objects.count() == 0


def test_a_save_outlives_a_queue_that_is_away(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    storage = between_folders(tmp_path)
    with monkeypatch.context() as patched:
        patched.setattr(queueing, "async_task", away)
        name = storage.save("a.txt", ContentFile(b"bytes"))

    let_leases_run_out()
    work()

    assert known(storage, name).state == "both"


def away(*args: Any, **kwargs: Any) -> None:
    raise ConnectionError("the queue is away")


def test_two_sides_at_one_place_are_refused(tmp_path: Path) -> None:
    place = {"location": str(tmp_path / "here"), "base_url": "/there/"}

    with pytest.raises(ImproperlyConfigured, match="one and the same place"):
        between_folders(tmp_path, task=DELETING_TASK, remote_options=place)
