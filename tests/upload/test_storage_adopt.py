"""Putting one storage's files into another, linked or streamed."""

import errno
import hashlib
import os
from pathlib import Path

import pytest
from django.core.files.storage import FileSystemStorage, InMemoryStorage, Storage

from upload import paths
from upload.copy_engine import Receipt
from upload.errors import (
    DigestMismatch,
    SourceMissing,
    TargetOccupied,
    UnsafePath,
)
from upload.storage import (
    Batch,
    DurableFileSystemStorage,
    fingerprint,
    receive_into,
)

KEY = "ab/session/cd/file"


@pytest.fixture
def durable(tmp_path: Path) -> DurableFileSystemStorage:
    return DurableFileSystemStorage(tmp_path / "root")


@pytest.fixture
def other(tmp_path: Path) -> DurableFileSystemStorage:
    return DurableFileSystemStorage(tmp_path / "other")


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


def adopt(
    source: Storage, target: Storage, content: bytes, *, unchanged: bool = True
) -> None:
    noted = fingerprint(source, KEY) if unchanged else ""
    with Batch(target, "job-1-1") as batch:
        batch.adopt(source, KEY, KEY, receipt_for(content), noted)


@pytest.mark.parametrize("unchanged", [True, False])
def test_a_file_of_the_same_disk_is_linked(
    durable: DurableFileSystemStorage,
    other: DurableFileSystemStorage,
    unchanged: bool,
) -> None:
    durable.receive(KEY, [b"abc"])

    adopt(durable, other, b"abc", unchanged=unchanged)
    adopt(durable, other, b"abc", unchanged=unchanged)

    assert Path(durable.path(KEY)).samefile(other.path(KEY))


def test_a_file_goes_between_any_storages(
    any_storage: Storage, other: DurableFileSystemStorage
) -> None:
    receive_into(any_storage, KEY, [b"abc"])

    adopt(any_storage, other, b"abc")

    assert content_of(other, KEY) == b"abc"


def test_a_copy_of_an_earlier_attempt_is_adopted(
    durable: DurableFileSystemStorage, other: DurableFileSystemStorage
) -> None:
    durable.receive(KEY, [b"abc"])
    other.receive(KEY, [b"abc"])

    adopt(durable, other, b"abc")

    assert content_of(other, KEY) == b"abc"


def test_other_bytes_are_not_adopted_over(
    durable: DurableFileSystemStorage, other: DurableFileSystemStorage
) -> None:
    durable.receive(KEY, [b"abc"])
    other.receive(KEY, [b"xyz"])

    with pytest.raises(TargetOccupied):
        adopt(durable, other, b"abc")

    assert content_of(other, KEY) == b"xyz"


@pytest.mark.parametrize(("content", "unchanged"), [(b"xbc", False), (b"abcd", True)])
def test_a_changed_file_is_not_adopted(
    durable: DurableFileSystemStorage,
    other: DurableFileSystemStorage,
    content: bytes,
    unchanged: bool,
) -> None:
    durable.receive(KEY, [content])

    with pytest.raises(DigestMismatch):
        adopt(durable, other, b"abc", unchanged=unchanged)

    assert other.exists(KEY) is False


@pytest.mark.parametrize("unchanged", [True, False])
def test_a_missing_file_is_named_as_missing(
    any_storage: Storage, other: DurableFileSystemStorage, unchanged: bool
) -> None:
    with pytest.raises(SourceMissing, match=KEY):
        adopt(any_storage, other, b"abc", unchanged=unchanged)


def test_a_planted_link_is_not_adopted(
    durable: DurableFileSystemStorage, other: DurableFileSystemStorage
) -> None:
    durable.receive("real", [b"abc"])
    Path(durable.location, "leaf").symlink_to("real")

    with pytest.raises(UnsafePath), Batch(other) as batch:
        batch.adopt(durable, "leaf", KEY, receipt_for(b"abc"))

    assert other.exists(KEY) is False


def test_a_batch_syncs_each_folder_once(
    durable: DurableFileSystemStorage,
    other: DurableFileSystemStorage,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    keys = [f"ab/{number}" for number in range(30)]
    for key in keys:
        durable.receive(key, [b"x"])
    other.receive("ab/first", [b"x"])
    calls: list[int] = []
    monkeypatch.setattr(os, "fsync", calls.append)

    with Batch(other) as batch:
        for key in keys:
            batch.adopt(durable, key, key, receipt_for(b"x"))

    assert len(calls) == 1


def test_a_batch_that_cannot_prune_leaves_nothing_open(
    other: DurableFileSystemStorage, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*args: object) -> None:
        raise OSError(errno.EIO, "Input/output error")

    before = sorted(Path("/dev/fd").iterdir())
    monkeypatch.setattr(paths, "prune_empty", fail)
    with pytest.raises(OSError, match="Input/output"), Batch(other) as batch:
        batch.receive(KEY, [b"abc"])
        batch.delete("ab/session/cd/gone")

    assert sorted(Path("/dev/fd").iterdir()) == before
