"""Long files pass through the system's memory; what others keep there stays there."""

import os
from collections.abc import Iterator
from contextlib import AbstractContextManager
from pathlib import Path

import pytest

from upload.copy_engine import CHUNK_BYTES, SYNC_EVERY_BYTES, read_chunks, stage
from upload.durable import Entry
from upload.page_cache import forget, is_in_memory
from upload.paths import closing

BLOCK = b"x" * CHUNK_BYTES
LONG = 12


@pytest.fixture(autouse=True)
def storages_in_tmp() -> None:
    """Make no storages: these tests look at bare files."""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """Return a long file on the disk, of whose pages the system has let go."""
    # Asked of another file: the question itself makes the system begin to read.
    with opened(forgotten(tmp_path / "other")) as descriptor:
        if is_in_memory(descriptor, 0):
            pytest.skip("this file system is memory")
    return forgotten(tmp_path / "film.mkv")


def forgotten(path: Path) -> Path:
    path.write_bytes(BLOCK * LONG)
    with opened(path) as descriptor:
        os.fsync(descriptor)
        forget(descriptor, range(0))
    return path


def opened(path: Path) -> AbstractContextManager[int]:
    return closing(os.open(path, os.O_RDONLY))


def test_a_long_file_that_was_not_in_memory_does_not_stay_there(file: Path) -> None:
    assert sum(map(len, read_chunks(file))) == len(BLOCK) * LONG
    with opened(file) as descriptor:
        assert not is_in_memory(descriptor, 0)


def test_a_long_file_that_was_in_memory_stays_there(file: Path) -> None:
    file.read_bytes()
    assert sum(map(len, read_chunks(file))) == len(BLOCK) * LONG
    with opened(file) as descriptor:
        assert is_in_memory(descriptor, 0)


def test_what_was_written_of_a_long_file_does_not_stay_in_memory(file: Path) -> None:
    count = SYNC_EVERY_BYTES // CHUNK_BYTES + 1
    with closing(os.open(file.parent, os.O_RDONLY)) as folder:
        stage([BLOCK] * count, Entry(folder, "new"))
    with opened(file.parent / "new") as descriptor:
        assert not is_in_memory(descriptor, 0)


def test_nothing_is_forgotten_where_the_system_cannot_tell(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_arguments: object) -> Iterator[int]:
        raise OSError(95, "Operation not supported")

    monkeypatch.setattr(os, "preadv", refuse)
    with opened(file) as descriptor:
        assert is_in_memory(descriptor, 0)
