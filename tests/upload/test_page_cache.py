"""Long files pass through the system's memory; what others keep there stays there."""

import ctypes
import errno
import mmap
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from upload import copy_engine, page_cache, whole_disk
from upload.copy_engine import CHUNK_BYTES, SYNC_EVERY_BYTES, read_chunks, stage
from upload.durable import Entry
from upload.page_cache import forget, is_in_memory
from upload.paths import closing

BLOCK = b"x" * CHUNK_BYTES
LONG = 12
# So many blocks are more than two stretches, of which the first is let go of.
STRETCHES = 2 * SYNC_EVERY_BYTES // CHUNK_BYTES + 1

type Find = Callable[[bool], None]


@pytest.fixture(autouse=True)
def storages_in_tmp() -> None:
    """Make no storages: these tests look at bare files."""


@pytest.fixture
def found(monkeypatch: pytest.MonkeyPatch) -> Find:
    """Say how a reader finds a file: asking the system makes it begin to read."""

    def find(in_memory: bool) -> None:
        monkeypatch.setattr(copy_engine, "is_in_memory", lambda *_asked: in_memory)

    return find


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """Return a long file on the disk, of whose pages the system has let go."""
    path = tmp_path / "film.mkv"
    path.write_bytes(BLOCK * LONG)
    with closing(os.open(path, os.O_RDONLY)) as descriptor:
        os.fsync(descriptor)
        forget(descriptor, range(0))
    if starts_in_memory(path):
        pytest.skip("this file system is memory")
    return path


def starts_in_memory(path: Path) -> bool:
    """Return whether the first page of a file is in memory, without a read."""
    with path.open("r+b") as file, mmap.mmap(file.fileno(), mmap.PAGESIZE) as mapped:
        place = ctypes.c_char.from_buffer(mapped)
        told = ctypes.create_string_buffer(1)
        mincore = ctypes.CDLL(None, use_errno=True).mincore
        address = ctypes.c_void_p(ctypes.addressof(place))
        assert mincore(address, ctypes.c_size_t(mmap.PAGESIZE), told) == 0
        del place
        return bool(told.raw[0] & 1)


def test_a_long_file_that_was_not_in_memory_does_not_stay_there(
    file: Path, found: Find
) -> None:
    found(False)
    assert sum(map(len, read_chunks(file))) == len(BLOCK) * LONG
    assert not starts_in_memory(file)


def test_a_long_file_that_was_in_memory_stays_there(file: Path, found: Find) -> None:
    found(True)
    assert sum(map(len, read_chunks(file))) == len(BLOCK) * LONG
    assert starts_in_memory(file)


def test_what_was_written_of_a_long_file_does_not_stay_in_memory(file: Path) -> None:
    with closing(os.open(file.parent, os.O_RDONLY)) as folder:
        stage([BLOCK] * STRETCHES, Entry(folder, "new"))
    assert not starts_in_memory(file.parent / "new")


@pytest.fixture
def answering(monkeypatch: pytest.MonkeyPatch) -> Callable[[int], None]:
    """Let the system answer with an error when it is asked to write a stretch out."""

    def answer(error: int) -> None:
        def call(*_asked: int) -> int:
            ctypes.set_errno(error)
            return -1

        monkeypatch.setattr(page_cache, "_sync_file_range", lambda: call)

    return answer


def test_a_stretch_that_could_not_be_written_is_an_error(
    file: Path, answering: Callable[[int], None]
) -> None:
    answering(errno.EIO)
    with (
        closing(os.open(file.parent, os.O_RDONLY)) as folder,
        pytest.raises(OSError, match="Input/output error"),
    ):
        stage([BLOCK] * STRETCHES, Entry(folder, "new"))
    assert not (file.parent / "new").exists()


@pytest.fixture
def synced(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Note each stretch that is synced."""
    stretches: list[int] = []
    monkeypatch.setattr(copy_engine, "sync_data", stretches.append)
    return stretches


@pytest.mark.parametrize("error", [errno.ENOSYS, errno.EPERM])
def test_a_stretch_is_synced_where_the_system_cannot_be_asked_to_write_it(
    error: int, file: Path, answering: Callable[[int], None], synced: list[int]
) -> None:
    answering(error)
    with closing(os.open(file.parent, os.O_RDONLY)) as folder:
        stage([BLOCK] * STRETCHES, Entry(folder, "new"))
    assert len(synced) == 1


def test_a_stretch_is_synced_on_a_file_system_that_only_says_it_writes(
    file: Path, synced: list[int], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    mounts = tmp_path / "mountinfo"
    device = file.stat().st_dev
    place = f"1 1 {os.major(device)}:{os.minor(device)} / / rw"
    mounts.write_text(f"{place} - overlay overlay rw\n")
    monkeypatch.setattr(whole_disk, "MOUNTS", mounts)
    with closing(os.open(file.parent, os.O_RDONLY)) as folder:
        stage([BLOCK] * STRETCHES, Entry(folder, "new"))
    assert len(synced) == 1


def test_what_was_just_read_is_in_memory(file: Path) -> None:
    file.read_bytes()
    with closing(os.open(file, os.O_RDONLY)) as descriptor:
        assert is_in_memory(descriptor, 0)


def test_a_file_counts_as_in_memory_where_the_system_cannot_tell(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_arguments: object) -> int:
        raise OSError(95, "Operation not supported")

    monkeypatch.setattr(os, "preadv", refuse)
    with closing(os.open(file, os.O_RDONLY)) as descriptor:
        assert is_in_memory(descriptor, 0)
