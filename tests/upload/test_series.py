"""Long files put one behind the other: read back while the next are written."""

import errno
import hashlib
import os
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.upload.parcels import OWNER, folder_in, parcel, put_many, staged
from upload import copy_engine, series
from upload.copy_engine import CHUNK_BYTES, Receipt, silent
from upload.errors import DigestMismatch, JobCancelled, TargetOccupied
from upload.group import SMALL_BYTES, Parcel
from upload.targets import FolderTarget


@pytest.fixture
def folder(tmp_path: Path) -> FolderTarget:
    return folder_in(tmp_path)


def long(key: str, last: bytes = b"") -> Parcel:
    return parcel(key, b"x" * (SMALL_BYTES + 1) + last)


def test_a_long_file_is_placed_once_the_two_next_are_written(
    folder: FolderTarget,
) -> None:
    placed: list[list[str]] = []

    def parcels() -> Iterator[Parcel]:
        for key in ("a", "b", "c", "d"):
            yield long(key)
            placed.append(sorted(p.name for p in folder.root.glob("[abcd]")))

    assert folder.put_many(parcels(), OWNER, silent) == {}
    assert placed == [[], [], ["a"], ["a", "b"]]
    assert (folder.root / "d").stat().st_size == SMALL_BYTES + 1
    assert staged(folder) == []


def test_a_long_file_is_read_back_beside_the_next(
    folder: FolderTarget, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever writes waits for no reading before there are two."""
    may_read = threading.Event()
    pread = os.pread

    def wait(descriptor: int, count: int, offset: int) -> bytes:
        assert may_read.wait(60)
        return pread(descriptor, count, offset)

    def parcels() -> Iterator[Parcel]:
        yield long("a")
        yield long("b")
        may_read.set()

    monkeypatch.setattr(os, "pread", wait)
    assert folder.put_many(parcels(), OWNER, silent) == {}
    assert sorted(p.name for p in folder.root.iterdir()) == ["a", "b"]


def test_a_long_file_of_other_bytes_stops_neither_neighbour(
    folder: FolderTarget,
) -> None:
    (folder.root / "taken").write_bytes(b"another's")
    wrong = Parcel("wrong", [b"y" * (SMALL_BYTES + 1)], long("wrong").expected)

    errors = put_many(folder, long("a"), wrong, long("b"), long("taken"), long("c"))

    assert {key: type(error) for key, error in errors.items()} == {
        "wrong": DigestMismatch,
        "taken": TargetOccupied,
    }
    assert sorted(p.name for p in folder.root.glob("?")) == ["a", "b", "c"]
    assert (folder.root / "taken").read_bytes() == b"another's"
    assert staged(folder) == []


def test_a_cancel_within_a_long_file_keeps_neither_it_nor_those_under_way(
    folder: FolderTarget,
) -> None:
    def cancelled() -> Iterator[bytes]:
        yield b"x" * SMALL_BYTES
        raise JobCancelled("cancelled")

    broken = Parcel("b", cancelled(), long("b").expected)
    with pytest.raises(JobCancelled):
        put_many(folder, long("a"), long("c"), broken)
    assert [p.name for p in folder.root.iterdir()] == []


def test_a_cancel_is_told_and_not_what_the_disk_said_meanwhile(
    folder: FolderTarget, monkeypatch: pytest.MonkeyPatch
) -> None:
    failed = threading.Event()

    def fail(descriptor: int, count: int, offset: int) -> bytes:
        failed.set()
        raise OSError(errno.EIO, "bad sector")

    def cancelled() -> Iterator[bytes]:
        assert failed.wait(60)
        yield b"x" * SMALL_BYTES
        raise JobCancelled("cancelled")

    monkeypatch.setattr(os, "pread", fail)
    broken = Parcel("b", cancelled(), long("b").expected)
    with pytest.raises(JobCancelled):
        put_many(folder, long("a"), broken)
    assert [p.name for p in folder.root.iterdir()] == []


def test_after_a_cancel_nothing_more_is_read_back(
    folder: FolderTarget, monkeypatch: pytest.MonkeyPatch
) -> None:
    reading, dropped, pread = threading.Event(), threading.Event(), os.pread
    reads: list[int] = []

    def wait(descriptor: int, count: int, offset: int) -> bytes:
        reads.append(offset)
        reading.set()
        assert dropped.wait(60)
        return pread(descriptor, count, offset)

    end = copy_engine.Hasher._end

    def let_go(hasher: copy_engine.Hasher) -> None:
        dropped.set()
        end(hasher)

    def cancelled() -> Iterator[bytes]:
        assert reading.wait(60)
        raise JobCancelled("cancelled")
        yield b""

    monkeypatch.setattr(os, "pread", wait)
    monkeypatch.setattr(copy_engine.Hasher, "_end", let_go)
    content = [b"x" * CHUNK_BYTES] * 9
    whole = b"".join(content)
    expected = Receipt(len(whole), hashlib.sha256(whole).hexdigest())
    broken = Parcel("b", cancelled(), long("b").expected)
    with pytest.raises(JobCancelled):
        put_many(folder, Parcel("a", content, expected), broken)
    assert len(reads) == 1


def test_a_very_long_file_is_placed_once_the_next_is_written(
    folder: FolderTarget, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A stop drops as few of its bytes as may be."""
    monkeypatch.setattr(series, "SYNC_EVERY_BYTES", SMALL_BYTES // 2)
    placed: list[list[str]] = []

    def parcels() -> Iterator[Parcel]:
        for key in ("a", "b", "c"):
            yield long(key)
            placed.append(sorted(p.name for p in folder.root.glob("[abc]")))

    assert folder.put_many(parcels(), OWNER, silent) == {}
    assert placed == [[], ["a"], ["a", "b"]]


def test_a_last_long_file_that_the_disk_spoils_is_told(
    folder: FolderTarget, monkeypatch: pytest.MonkeyPatch
) -> None:
    def spoil(descriptor: int) -> None:
        os.pwrite(descriptor, b"!", 0)
        os.fsync(descriptor)

    monkeypatch.setattr(copy_engine, "sync_file", spoil)
    errors = put_many(folder, long("a"))
    assert [type(error) for error in errors.values()] == [DigestMismatch]
    assert [p.name for p in folder.root.iterdir()] == []
