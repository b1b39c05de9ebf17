"""Bytes on the move: staging, hashing, placing without replacing."""

import errno
import hashlib
import os
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from upload import copy_engine, group, paths
from upload.copy_engine import Receipt, digest, read_chunks, stage
from upload.durable import Entry
from upload.errors import (
    DigestMismatch,
    JobCancelled,
    LeaseLost,
    ShortWrite,
    TargetOccupied,
    UnsafePath,
)

LONG = [bytes([number]) * copy_engine.CHUNK_BYTES for number in range(12)]


@pytest.fixture(autouse=True)
def storages_in_tmp() -> None:
    """Make no storages: these tests look at a bare folder."""


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[int]:
    descriptor = os.open(tmp_path, os.O_RDONLY)
    yield descriptor
    os.close(descriptor)


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """Mount a file system of 1 MiB; fails, not skips, where root may not mount."""
    if os.geteuid() != 0:
        pytest.skip("only root can mount a file system")
    disk = tmp_path / "disk"
    disk.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(disk)]
    subprocess.run(mount, check=True)
    yield disk
    subprocess.run(["umount", str(disk)], check=True)


def receipt_for(*chunks: bytes) -> Receipt:
    whole = b"".join(chunks)
    return Receipt(len(whole), hashlib.sha256(whole).hexdigest())


def hashing_threads() -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if thread.name == "sha256"]


@pytest.mark.parametrize("chunks", [[], [b""], [b"a", b"bc"], LONG])
def test_staged_bytes_are_whole_and_hashed(
    folder: int, tmp_path: Path, chunks: list[bytes]
) -> None:
    receipt = stage(chunks, Entry(folder, "s"))

    assert receipt == receipt_for(*chunks)
    assert (tmp_path / "s").read_bytes() == b"".join(chunks)


def test_a_staging_file_is_private(folder: int, tmp_path: Path) -> None:
    stage([b"x"], Entry(folder, "s"))

    assert (tmp_path / "s").stat().st_mode & 0o777 == 0o600


def test_a_staging_file_can_get_another_mode(folder: int, tmp_path: Path) -> None:
    stage([b"x"], Entry(folder, "s"), mode=0o666)

    assert (tmp_path / "s").stat().st_mode & 0o777 == 0o666


def test_staging_never_writes_through_what_has_the_name(
    folder: int, tmp_path: Path
) -> None:
    (tmp_path / "victim").write_bytes(b"old")
    (tmp_path / "s").symlink_to("victim")

    with pytest.raises(FileExistsError):
        stage([b"new"], Entry(folder, "s"))

    assert (tmp_path / "victim").read_bytes() == b"old"
    assert (tmp_path / "s").is_symlink()


def test_the_heartbeat_hears_of_every_byte(folder: int) -> None:
    heard: list[int] = []

    stage(LONG, Entry(folder, "s"), heard.append)

    assert heard == [len(chunk) for chunk in LONG]


@pytest.mark.parametrize("error", [JobCancelled("c"), LeaseLost("l"), SystemExit(1)])
def test_a_heartbeat_that_raises_leaves_nothing(
    folder: int, tmp_path: Path, error: BaseException
) -> None:
    def beat(count: int) -> None:
        if (tmp_path / "s").stat().st_size > 10 * copy_engine.CHUNK_BYTES:
            raise error

    with pytest.raises(type(error)):
        stage(LONG, Entry(folder, "s"), beat)

    assert list(tmp_path.iterdir()) == []
    assert hashing_threads() == []


def test_a_source_that_fails_leaves_nothing(folder: int, tmp_path: Path) -> None:
    def chunks() -> Iterator[bytes]:
        yield from LONG
        raise OSError(errno.EIO, "bad sector")

    with pytest.raises(OSError, match="bad sector"):
        stage(chunks(), Entry(folder, "s"))

    assert list(tmp_path.iterdir()) == []
    assert hashing_threads() == []


def test_where_no_thread_can_begin_it_is_hashed_here(
    folder: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As in a process that ends, or that may have no more threads."""

    def refuse(thread: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(threading.Thread, "start", refuse)
    monkeypatch.setattr(copy_engine, "HASH_ASIDE_BYTES", 4)
    receipt = stage([b"alpha", b"beta"], Entry(folder, "x.part"))

    assert receipt.sha256 == hashlib.sha256(b"alphabeta").hexdigest()


def test_an_error_of_the_hashing_thread_surfaces(
    folder: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Failing:
        def update(self, data: bytes) -> None:
            if threading.current_thread().name == "sha256":
                raise MemoryError("no room to hash")

    monkeypatch.setattr(hashlib, "sha256", Failing)

    with pytest.raises(MemoryError, match="no room to hash"):
        stage(LONG, Entry(folder, "s"))

    assert list(tmp_path.iterdir()) == []
    assert hashing_threads() == []


def test_short_writes_are_written_on(
    folder: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = os.write
    monkeypatch.setattr(os, "write", lambda fd, data: real(fd, data[:7]))

    stage([b"a whole sentence, in parts"], Entry(folder, "s"))

    assert (tmp_path / "s").read_bytes() == b"a whole sentence, in parts"


def test_a_write_of_nothing_is_an_error_and_leaves_nothing(
    folder: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "write", lambda fd, data: 0)

    with pytest.raises(ShortWrite, match="took 0 of 3 bytes"):
        stage([b"abc"], Entry(folder, "s"))

    assert list(tmp_path.iterdir()) == []


def test_a_failed_fsync_is_not_tried_again(
    folder: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls: list[int] = []

    def fsync(descriptor: int) -> None:
        calls.append(descriptor)
        raise OSError(errno.EIO, "lost")

    monkeypatch.setattr(os, "fsync", fsync)
    with pytest.raises(OSError, match="lost"):
        stage([b"abc"], Entry(folder, "s"))

    assert len(calls) == 1
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("over", [1, 4096, 70_000])
def test_a_full_disk_is_an_error_and_leaves_nothing(
    small_disk: Path, over: int
) -> None:
    chunks = [b"x" * (1 << 19), b"x" * ((1 << 19) + over)]
    folder = os.open(small_disk, os.O_RDONLY)

    with pytest.raises(OSError, match="No space left") as caught:
        stage(chunks, Entry(folder, "s"))
    os.close(folder)

    assert caught.value.errno == errno.ENOSPC
    assert list(small_disk.iterdir()) == []


def test_a_link_is_the_same_file(folder: int, tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"x")

    paths.link_into_place(Entry(folder, "a"), Entry(folder, "b"))
    paths.link_into_place(Entry(folder, "a"), Entry(folder, "b"))

    assert (tmp_path / "a").samefile(tmp_path / "b")


def test_a_link_replaces_nothing(folder: int, tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"x")
    (tmp_path / "b").write_bytes(b"x")

    with pytest.raises(TargetOccupied):
        paths.link_into_place(Entry(folder, "a"), Entry(folder, "b"))


@pytest.mark.parametrize("kind", ["fifo", "link", "folder"])
def test_only_a_regular_file_is_linked(folder: int, tmp_path: Path, kind: str) -> None:
    make = {"fifo": os.mkfifo, "folder": os.mkdir}
    make.get(kind, lambda path: path.symlink_to("x"))(tmp_path / "a")

    with pytest.raises(UnsafePath):
        paths.link_into_place(Entry(folder, "a"), Entry(folder, "b"))

    assert not os.path.lexists(tmp_path / "b")


def test_a_link_to_another_file_system_is_left_to_streaming(
    folder: int, tmp_path: Path, small_disk: Path
) -> None:
    (tmp_path / "a").write_bytes(b"x")
    other = os.open(small_disk, os.O_RDONLY)

    with pytest.raises(OSError, match="cross-device") as caught:
        paths.link_into_place(Entry(folder, "a"), Entry(other, "b"))
    os.close(other)

    assert caught.value.errno == errno.EXDEV


def test_chunks_are_read_back_whole(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"".join(LONG))

    assert list(read_chunks(tmp_path / "a")) == LONG
    assert digest(tmp_path / "a") == receipt_for(*LONG)


def test_reading_a_fifo_does_not_hang(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "a")

    with pytest.raises(UnsafePath):
        digest(tmp_path / "a")


def test_reading_follows_no_link(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"x")
    (tmp_path / "b").symlink_to("a")

    with pytest.raises(UnsafePath):
        digest(tmp_path / "b")


def test_a_receipt_without_a_digest_compares_sizes() -> None:
    known = receipt_for(b"abc")

    assert known.agrees_with(Receipt(3, "")) is True
    assert known.agrees_with(Receipt(4, "")) is False
    assert known.agrees_with(Receipt(3, known.sha256.upper())) is True
    assert known.agrees_with(Receipt(3, "0" * 64)) is False


def test_a_mismatch_names_both_receipts() -> None:
    with pytest.raises(DigestMismatch) as caught:
        copy_engine.verify("a.txt", Receipt(3, "00"), Receipt(4, "11"))

    assert caught.value.expected == (3, "00")
    assert caught.value.actual == (4, "11")


@pytest.mark.parametrize("told", [0, 3, 5, 9])
def test_a_small_file_is_hashed_with_what_shows_that_its_size_differs(
    told: int, tmp_path: Path
) -> None:
    path = tmp_path / "small"
    path.write_bytes(b"alpha")

    with path.open("rb") as file:
        found = group.receipt_of_small(file.fileno(), told)

    held = b"alpha"[: told + 1]
    assert found == Receipt(len(held), hashlib.sha256(held).hexdigest())


@pytest.mark.parametrize("told", [3, 4, 5, 6])
def test_a_small_file_that_comes_in_pieces_is_hashed_whole(
    told: int, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    path, pread = tmp_path / "small", os.pread
    path.write_bytes(b"alpha")
    monkeypatch.setattr(os, "pread", lambda fd, count, at: pread(fd, min(count, 2), at))

    with path.open("rb") as file:
        found = group.receipt_of_small(file.fileno(), told)

    held = b"alpha"[: told + 1]
    assert found == Receipt(len(held), hashlib.sha256(held).hexdigest())
