"""Small files put at once: what they share of their waits for the disk."""

import os
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.upload.parcels import parcel, put_many, staged
from upload import group, whole_disk
from upload.copy_engine import Receipt
from upload.errors import JobCancelled
from upload.group import Parcel
from upload.targets import FolderTarget


@pytest.fixture
def folder(tmp_path: Path) -> FolderTarget:
    (tmp_path / "destinations" / "many").mkdir(parents=True)
    return FolderTarget(tmp_path / "destinations" / "many", allowed_roots=None)


def test_no_file_has_its_name_before_the_whole_disk_is_durable(
    folder: FolderTarget, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[int] = []
    wait = whole_disk.Sync.wait

    def look(sync: whole_disk.Sync, beat: Any) -> bool:
        seen.append(len(list(folder.root.rglob("*.txt"))))
        return wait(sync, beat)

    monkeypatch.setattr(whole_disk.Sync, "wait", look)
    put_many(folder, *(parcel(f"{n}.txt", b"x") for n in range(3)))

    assert seen == [0]
    assert len(list(folder.root.rglob("*.txt"))) == 3


def test_the_next_files_are_written_while_the_disk_takes_some_in(
    folder: FolderTarget, monkeypatch: pytest.MonkeyPatch
) -> None:
    came, in_time = threading.Event(), list[bool]()

    def slow(descriptor: int) -> int:
        in_time.append(came.wait(30))
        return 0

    def chunks() -> Iterator[bytes]:
        came.set()
        yield b"x"

    monkeypatch.setattr(whole_disk, "_syncfs", lambda: slow)
    monkeypatch.setattr("upload.targets.folder.most_files", lambda: 2)
    first = [parcel(f"{n}.txt", b"x") for n in range(2)]
    then = parcel("2.txt", b"x")

    assert put_many(folder, *first, Parcel(then.key, chunks(), then.expected)) == {}

    assert in_time == [True]
    assert len(list(folder.root.rglob("*.txt"))) == 3


def test_each_wait_is_told_of_errors_since_the_first_byte_of_its_files(
    folder: FolderTarget, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The system tells an error once a descriptor, and only later ones than it."""
    made: list[str] = []
    create, begun = group.create, dict[int, int]()

    def noting(entry: Any, *rest: Any) -> int:
        for open_one in Path("/proc/self/fd").iterdir():
            begun.setdefault(int(open_one.name), len(made))
        made.append(entry.name)
        return create(entry, *rest)

    synced: list[int] = []
    monkeypatch.setattr(group, "create", noting)
    monkeypatch.setattr(whole_disk, "_syncfs", lambda: lambda fd: synced.append(fd))
    monkeypatch.setattr("upload.targets.folder.most_files", lambda: 2)

    assert put_many(folder, *(parcel(f"{n}.txt", b"x") for n in range(4))) == {}

    assert len(set(synced)) == 2
    assert [begun[descriptor] for descriptor in synced] == [0, 2]


def test_a_stop_while_the_disk_takes_some_in_leaves_no_staging(
    folder: FolderTarget, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stopped() -> Iterator[bytes]:
        raise JobCancelled("stop")
        yield b""

    monkeypatch.setattr("upload.targets.folder.most_files", lambda: 2)
    first = [parcel(f"{n}.txt", b"x") for n in range(3)]
    last = Parcel("3.txt", stopped(), Receipt(1, "0" * 64))

    with pytest.raises(JobCancelled):
        put_many(folder, *first, last)

    assert staged(folder) == []
    assert list(folder.root.rglob("*.txt")) == []


def test_files_are_synced_one_by_one_where_the_whole_disk_cannot_be(
    folder: FolderTarget, monkeypatch: pytest.MonkeyPatch
) -> None:
    synced: list[int] = []
    monkeypatch.setattr(whole_disk, "_syncfs", lambda: lambda descriptor: -1)
    monkeypatch.setattr(group, "sync_file", synced.append)

    assert put_many(folder, *(parcel(f"{n}.txt", b"x") for n in range(3))) == {}

    assert len(synced) == 3


def test_a_line_break_in_the_name_of_a_mount_stops_no_copy(
    folder: FolderTarget, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    mounts = tmp_path / "mountinfo"
    mounts.write_text("36 35 9:9 / /media/a\u2028b rw - vfat /dev/sdb1 rw\n")
    monkeypatch.setattr(whole_disk, "MOUNTS", mounts)

    assert put_many(folder, parcel("a.txt", b"alpha"), parcel("b.txt", b"beta")) == {}


def test_a_disk_that_takes_long_is_waited_for_with_signs_of_life(
    folder: FolderTarget, monkeypatch: pytest.MonkeyPatch
) -> None:
    ended, beats = threading.Event(), list[int]()

    def slow(descriptor: int) -> int:
        return 0 if ended.wait(30) else -1

    def beat(count: int) -> None:
        beats.append(count)
        ended.set()

    monkeypatch.setattr(whole_disk, "_syncfs", lambda: slow)
    monkeypatch.setattr(whole_disk, "BEAT_SECONDS", 0.01)
    descriptor = os.open(folder.root, os.O_RDONLY)
    try:
        with whole_disk.Sync(descriptor) as sync:
            assert sync.wait(beat)
    finally:
        os.close(descriptor)
    assert beats
