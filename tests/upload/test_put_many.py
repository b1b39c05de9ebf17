"""Many files put at once: each kind of place, and what a folder shares among them."""

import errno
import os
import resource
from collections.abc import Iterable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from tests.upload.parcels import OWNER, folder_in, parcel, put_many, staged
from tests.upload.places import Place
from upload import durable, group, whole_disk
from upload.errors import DigestMismatch, JobCancelled, SourceMissing, TargetOccupied
from upload.group import SMALL_BYTES, Parcel
from upload.pinned import MOST_FOLDERS
from upload.targets import FolderTarget, Target


@pytest.fixture
def target(place: Place) -> Iterator[Target]:
    with closing(place.make()) as target:
        yield target


@pytest.fixture
def folder(tmp_path: Path) -> FolderTarget:
    return folder_in(tmp_path)


@pytest.fixture
def each_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """Stand on a file system that has to be asked to sync file by file."""
    monkeypatch.setattr(whole_disk, "TRUSTED", frozenset())


# Every kind of place


def test_small_and_large_files_all_arrive(place: Place, target: Target) -> None:
    files = {f"a/{n}.bin": bytes([n]) * n for n in range(5)}
    files["a/large.bin"] = b"x" * (SMALL_BYTES + 1)

    errors = put_many(target, *(parcel(key, files[key]) for key in files))

    assert errors == {}
    assert place.copied() == files


def test_putting_many_again_writes_nothing_and_succeeds(
    place: Place, target: Target
) -> None:
    files = [parcel("a.txt", b"alpha"), parcel("b.txt", b"beta")]
    put_many(target, *files)

    assert put_many(target, *files) == {}
    assert place.copied() == {"a.txt": b"alpha", "b.txt": b"beta"}


def test_what_is_wrong_with_one_file_stops_no_other(
    place: Place, target: Target
) -> None:
    def lost() -> Iterator[bytes]:
        raise SourceMissing("gone")
        yield b""

    place.plant("taken.txt", b"foreign")
    gone = Parcel("gone.txt", lost(), parcel("gone.txt", b"gone").expected)

    errors = put_many(
        target,
        parcel("first.txt", b"1"),
        parcel("taken.txt", b"ours"),
        parcel("wrong.txt", b"came", wanted=b"sent"),
        gone,
        parcel("last.txt", b"2"),
    )

    kinds = {key: type(error) for key, error in errors.items()}
    assert kinds == {
        "taken.txt": TargetOccupied,
        "wrong.txt": DigestMismatch,
        "gone.txt": SourceMissing,
    }
    kept = {"first.txt": b"1", "taken.txt": b"foreign", "last.txt": b"2"}
    assert place.copied() == kept


def test_a_cancel_among_many_leaves_no_part_of_a_file(
    place: Place, target: Target
) -> None:
    target.check()
    beats: list[int] = []

    def cancel_at_third(count: int) -> None:
        beats.append(count)
        if len(beats) == 3:
            raise JobCancelled("stop")

    files = [parcel(f"{n}.txt", b"abc") for n in range(5)]
    with pytest.raises(JobCancelled):
        target.put_many(files, OWNER, cancel_at_third)

    assert set(place.held().values()) <= {b"abc"}
    assert not [name for name in place.held() if name.endswith(".part")]


# Folders


def test_more_files_than_may_be_open_are_put_in_turns(
    folder: FolderTarget, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(group, "MOST_FILES", 2)
    files = [parcel(f"{n}/{n}.txt", b"x" * n) for n in range(5)]

    assert put_many(folder, *files) == {}
    assert len(list(folder.root.rglob("*.txt"))) == 5


def test_no_file_of_many_has_its_name_before_all_are_durable(
    folder: FolderTarget, monkeypatch: pytest.MonkeyPatch, each_alone: None
) -> None:
    seen: list[int] = []
    sync = durable.sync_file

    def look(descriptor: int) -> None:
        seen.append(len(list(folder.root.rglob("*.txt"))))
        sync(descriptor)

    monkeypatch.setattr(group, "sync_file", look)
    put_many(folder, *(parcel(f"{n}.txt", b"x") for n in range(3)))

    assert seen == [0, 0, 0]


@pytest.mark.parametrize("call", ["fsync", "write"])
def test_a_failing_disk_leaves_no_file_and_no_staging(
    folder: FolderTarget, monkeypatch: pytest.MonkeyPatch, each_alone: None, call: str
) -> None:
    folder.check()

    def fail(*args: Any) -> None:
        raise OSError(errno.EIO, "Input/output error")

    monkeypatch.setattr(os, call, fail)
    with pytest.raises(OSError, match="Input/output"):
        put_many(folder, parcel("a.txt", b"alpha"), parcel("b.txt", b"beta"))

    assert not staged(folder)
    assert not list(folder.root.rglob("*.txt"))


def test_bytes_that_the_disk_gives_back_changed_are_not_placed(
    folder: FolderTarget, monkeypatch: pytest.MonkeyPatch, each_alone: None
) -> None:
    sync = durable.sync_file

    def spoil(descriptor: int) -> None:
        sync(descriptor)
        os.pwrite(descriptor, b"X", 0)

    monkeypatch.setattr(group, "sync_file", spoil)
    errors = put_many(folder, parcel("a.txt", b"alpha"))

    assert isinstance(errors["a.txt"], DigestMismatch)
    assert not list(folder.root.rglob("*.txt"))


def test_a_file_that_another_put_meanwhile_is_confirmed(folder: FolderTarget) -> None:
    def racing() -> Iterable[bytes]:
        (folder.root / "a.txt").write_bytes(b"alpha")
        yield b"alpha"

    late = Parcel("a.txt", racing(), parcel("a.txt", b"alpha").expected)

    assert put_many(folder, late) == {}
    assert not staged(folder)


def test_what_another_put_into_a_folder_made_here_is_met_when_placing(
    folder: FolderTarget, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(group, "MOST_FILES", 1)
    made = folder.root / "made"

    def meddling() -> Iterable[bytes]:
        (made / "same.txt").write_bytes(b"same")
        (made / "other.txt").write_bytes(b"foreign")
        yield b"late"

    errors = put_many(
        folder,
        parcel("made/first.txt", b"first"),
        parcel("made/second.txt", b"second"),
        Parcel("made/late.txt", meddling(), parcel("", b"late").expected),
        parcel("made/same.txt", b"same"),
        parcel("made/other.txt", b"ours"),
    )

    assert {key: type(error) for key, error in errors.items()} == {
        "made/other.txt": TargetOccupied
    }
    assert (made / "other.txt").read_bytes() == b"foreign"
    assert staged(folder) == []


def test_files_of_more_folders_than_are_held_open_all_arrive(
    folder: FolderTarget,
) -> None:
    keys = [f"{number}/{number % 7}/a.txt" for number in range(3 * MOST_FOLDERS)]
    for turn in (keys, keys):  # the second finds them there
        assert put_many(folder, *(parcel(key, key.encode()) for key in turn)) == {}
    assert {key: (folder.root / key).read_text() for key in keys} == {
        k: k for k in keys
    }
    assert staged(folder) == []


def test_few_folders_are_held_open_where_few_files_may_be(
    folder: FolderTarget, monkeypatch: pytest.MonkeyPatch
) -> None:
    open_files, opened = Path("/dev/fd"), list[int]()
    monkeypatch.setattr(resource, "getrlimit", lambda limit: (64, 64))
    before = len(list(open_files.iterdir()))

    def look(count: int) -> None:
        opened.append(len(list(open_files.iterdir())) - before)

    files = [parcel(f"{number}/a.txt", b"x") for number in range(MOST_FOLDERS)]
    assert folder.put_many(files, OWNER, look) == {}

    assert max(opened) < 64 - 16 + 4  # a quarter each, and those on the way
