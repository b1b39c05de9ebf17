"""Writing under an exact key of any storage, once and again."""

import hashlib
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import FileSystemStorage, InMemoryStorage, Storage

from upload import storage as rooms
from upload.copy_engine import Receipt
from upload.errors import (
    DigestMismatch,
    JobCancelled,
    LeaseLost,
    TargetOccupied,
    UnsafePath,
)
from upload.storage import (
    Batch,
    DurableFileSystemStorage,
    receive_into,
)

KEY = "ab/session/cd/file"


@pytest.fixture
def durable(tmp_path: Path) -> DurableFileSystemStorage:
    return DurableFileSystemStorage(tmp_path / "root")


@pytest.fixture(params=["durable", "django", "memory"])
def any_storage(request: pytest.FixtureRequest, tmp_path: Path) -> Storage:
    if request.param == "durable":
        return DurableFileSystemStorage(tmp_path / "root")
    if request.param == "django":
        return FileSystemStorage(tmp_path / "root")
    return InMemoryStorage()


def receipt_for(content: bytes) -> Receipt:
    return Receipt(len(content), hashlib.sha256(content).hexdigest())


def content_of(storage: Storage, key: str) -> bytes:
    with storage.open(key) as file:
        return bytes(file.read())


def files_below(folder: Path) -> list[str]:
    found = (path for path in folder.rglob("*") if not path.is_dir())
    return sorted(path.relative_to(folder).as_posix() for path in found)


def test_an_exact_key_is_received_whole(any_storage: Storage) -> None:
    heard: list[int] = []

    receipt = receive_into(any_storage, KEY, [b"ab", b"c"], None, heard.append)

    assert receipt == receipt_for(b"abc")
    assert content_of(any_storage, KEY) == b"abc"
    assert sum(heard) == 3


@pytest.mark.parametrize("expected", [receipt_for(b"abc"), None])
def test_receiving_the_same_bytes_twice_is_success(
    any_storage: Storage, expected: Receipt | None
) -> None:
    receive_into(any_storage, KEY, [b"abc"])
    receipt = receive_into(any_storage, KEY, [b"abc"], expected)

    assert receipt == receipt_for(b"abc")
    assert any_storage.listdir("ab/session/cd") == ([], ["file"])


def test_receiving_again_writes_nothing(durable: DurableFileSystemStorage) -> None:
    durable.receive(KEY, [b"abc"])
    before = Path(durable.path(KEY)).stat()

    durable.receive(KEY, [b"abc"], receipt_for(b"abc"))

    assert Path(durable.path(KEY)).stat() == before


@pytest.mark.parametrize("expected", [receipt_for(b"abc"), None])
def test_other_bytes_at_a_key_are_left_alone(
    any_storage: Storage, expected: Receipt | None
) -> None:
    receive_into(any_storage, KEY, [b"xyz"])

    with pytest.raises(TargetOccupied):
        receive_into(any_storage, KEY, [b"abc"], expected)

    assert content_of(any_storage, KEY) == b"xyz"


@pytest.mark.parametrize(
    "expected", [receipt_for(b"xbc"), Receipt(2, ""), Receipt(4, "")]
)
def test_unexpected_bytes_are_not_kept(any_storage: Storage, expected: Receipt) -> None:
    with pytest.raises(DigestMismatch):
        receive_into(any_storage, KEY, [b"abc"], expected)

    assert any_storage.exists(KEY) is False


def test_an_empty_file_is_a_file(any_storage: Storage) -> None:
    receipt = receive_into(any_storage, KEY, [], receipt_for(b""))

    assert receipt.size_bytes == 0
    assert any_storage.size(KEY) == 0


def test_a_key_that_leaves_the_root_is_refused(any_storage: Storage) -> None:
    with pytest.raises(UnsafePath):
        receive_into(any_storage, "../x", [b"x"])


class Renaming(InMemoryStorage):
    def get_available_name(self, name: str, max_length: int | None = None) -> str:
        return f"{name}.renamed"


def test_a_storage_that_renames_keeps_nothing() -> None:
    storage = Renaming()

    with pytest.raises(TargetOccupied):
        receive_into(storage, "a", [b"x"])

    assert storage.listdir("") == ([], [])


class Truncating(InMemoryStorage):
    def _save(self, name: str, content: Any) -> str:
        return super()._save(name, ContentFile(content.read()[:-1]))


def test_a_storage_that_loses_bytes_is_found_out() -> None:
    storage = Truncating()

    with pytest.raises(DigestMismatch):
        receive_into(storage, "a", [b"abc"])

    assert storage.exists("a") is False


def test_a_cancelled_receipt_leaves_nothing(durable: DurableFileSystemStorage) -> None:
    def beat(count: int) -> None:
        raise JobCancelled("stop")

    with pytest.raises(JobCancelled):
        receive_into(durable, KEY, [b"abc"], None, beat)

    assert files_below(Path(durable.location)) == []


def test_a_fenced_attempt_places_nothing(durable: DurableFileSystemStorage) -> None:
    def chunks() -> Iterator[bytes]:
        yield b"late"
        assert rooms.drop_staging(durable, "job-17-3") == 1

    with pytest.raises(LeaseLost), Batch(durable, "job-17-3") as batch:
        batch.receive(KEY, chunks())

    assert durable.exists(KEY) is False


def test_fencing_one_owner_spares_the_others(
    durable: DurableFileSystemStorage,
) -> None:
    def chunks() -> Iterator[bytes]:
        yield b"x"
        assert rooms.drop_staging(durable, "job-17-3") == 0
        assert rooms.drop_staging(durable, "job-1-") == 0
        assert rooms.drop_staging(durable, "", min_age_seconds=60) == 0

    with Batch(durable, "job-17-31") as batch:
        batch.receive(KEY, chunks())

    assert durable.exists(KEY) is True


def test_receiving_while_others_prune_never_fails(
    durable: DurableFileSystemStorage,
) -> None:
    stop = threading.Event()

    def churn() -> None:
        while not stop.is_set():
            durable.receive("a/b/c/churn", [b"x"])
            durable.delete("a/b/c/churn")

    thread = threading.Thread(target=churn)
    thread.start()
    try:
        for number in range(100):
            durable.receive(f"a/b/c/{number}", [b"y"])
            durable.delete(f"a/b/c/{number}")
    finally:
        stop.set()
        thread.join()

    assert files_below(Path(durable.location)) == []
