"""Bytes written and read back: what counts is what the disk gives."""

import errno
import hashlib
import os
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from upload import copy_engine
from upload.copy_engine import Receipt, stage
from upload.durable import Entry

LONG = [bytes([number]) * copy_engine.CHUNK_BYTES for number in range(12)]


@pytest.fixture(autouse=True)
def storages_in_tmp() -> None:
    """Make no storages: these tests look at a bare folder."""


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[int]:
    descriptor = os.open(tmp_path, os.O_RDONLY)
    yield descriptor
    os.close(descriptor)


def receipt_for(*chunks: bytes) -> Receipt:
    whole = b"".join(chunks)
    return Receipt(len(whole), hashlib.sha256(whole).hexdigest())


def hashing_threads() -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if thread.name == "sha256"]


@pytest.mark.parametrize("chunks", [[], [b"a", b"bc"], LONG, [b"x" * 5_000_001] * 4])
def test_bytes_that_are_read_back_are_hashed_whole(
    folder: int, monkeypatch: pytest.MonkeyPatch, chunks: list[bytes]
) -> None:
    monkeypatch.setattr(copy_engine, "SYNC_EVERY_BYTES", 3 << 20)

    receipt = stage(chunks, Entry(folder, "s"), read_back=True)

    assert receipt == receipt_for(*chunks)
    assert not hashing_threads()


@pytest.mark.parametrize("chunks", [[b"abc"], LONG])
def test_reading_back_sees_what_the_disk_has_made_of_it(
    folder: int, tmp_path: Path, chunks: list[bytes]
) -> None:
    def rot(count: int) -> None:
        with (tmp_path / "s").open("r+b") as file:
            file.write(b"?")

    written = stage(chunks, Entry(folder, "s"), rot, read_back=True)

    assert written == receipt_for(b"?" + b"".join(chunks)[1:])


def test_a_file_that_cannot_be_read_back_is_dropped(
    folder: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*args: int) -> bytes:
        raise OSError(errno.EIO, os.strerror(errno.EIO))

    monkeypatch.setattr(os, "pread", fail)
    with pytest.raises(OSError, match="Input/output error"):
        stage(LONG, Entry(folder, "s"), read_back=True)

    assert not (tmp_path / "s").exists()
    assert not hashing_threads()
