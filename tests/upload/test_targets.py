"""Folders as targets: what is refused, what is promised of each file."""

import errno
import hashlib
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from upload.copy_engine import Receipt, silent
from upload.errors import (
    DestinationRefused,
    DigestMismatch,
    JobCancelled,
    LeaseLost,
    TargetOccupied,
    UnsafePath,
)
from upload.targets import MARKER, FolderTarget, Target

OWNER = "job-17-3"


@pytest.fixture
def places(settings: Any, tmp_path: Path) -> Path:
    """Our own folders below ``data``; destinations are allowed below ``allowed``."""
    data = tmp_path / "data"
    for name in ("temp", "uploaded", "static"):
        (data / name).mkdir(parents=True)
    durable = "upload.storage.DurableFileSystemStorage"
    settings.STORAGES = settings.STORAGES | {
        alias: {"BACKEND": durable, "OPTIONS": {"location": data / alias}}
        for alias in ("temp", "uploaded")
    }
    settings.DATA_DIR, settings.STATIC_ROOT = data, data / "static"
    (tmp_path / "allowed" / "archive").mkdir(parents=True)
    return tmp_path


@pytest.fixture
def target(places: Path) -> FolderTarget:
    return FolderTarget(places / "allowed" / "archive", [places / "allowed"])


def receipt_for(content: bytes) -> Receipt:
    return Receipt(len(content), hashlib.sha256(content).hexdigest())


def put(target: Target, path: str, content: bytes, wanted: bytes | None = None) -> None:
    expected = receipt_for(content if wanted is None else wanted)
    target.put(path, [content], expected, OWNER, silent)


def files_in(folder: Path) -> list[str]:
    found = (path for path in folder.rglob("*") if not path.is_dir())
    return sorted(path.relative_to(folder).as_posix() for path in found)


# Checks


def test_an_allowed_folder_passes_and_stays_empty(target: FolderTarget) -> None:
    target.check()

    assert list(target.root.iterdir()) == []


def test_a_path_of_trusted_code_needs_no_allowed_root(places: Path) -> None:
    (places / "elsewhere").mkdir()

    FolderTarget(places / "elsewhere", None).check()


def test_a_folder_of_our_data_dir_that_is_no_storage_passes(places: Path) -> None:
    (places / "data" / "destinations" / "a").mkdir(parents=True)
    root = places / "data" / "destinations"

    FolderTarget(root / "a", [root]).check()


@pytest.mark.parametrize("allowed", [True, False])
def test_a_missing_folder_is_named(places: Path, allowed: bool) -> None:
    roots = [places / "allowed"] if allowed else None
    target = FolderTarget(places / "allowed" / "gone", roots)

    with pytest.raises(FileNotFoundError, match=r"gone is missing\. Create or mount"):
        target.check()

    assert not target.root.exists()


@pytest.mark.parametrize(
    ("path", "reason"),
    [
        ("allowed", "does not lie below"),
        ("elsewhere", "does not lie below"),
        ("allowed/../elsewhere", "absolute path"),
        ("allowed/file", "not a folder"),
        ("allowed/link", "a link"),
        ("allowed/link/inner", "a link"),
    ],
)
def test_a_folder_outside_the_allowed_ones_is_refused(
    places: Path, path: str, reason: str
) -> None:
    (places / "elsewhere" / "inner").mkdir(parents=True)
    (places / "allowed" / "file").write_bytes(b"")
    (places / "allowed" / "link").symlink_to(places / "elsewhere")

    with pytest.raises(DestinationRefused, match=reason):
        FolderTarget(places / path, [places / "allowed"]).check()


@pytest.mark.parametrize(
    "path", ["data", "data/temp", "data/uploaded/x", "data/static", ""]
)
@pytest.mark.parametrize("linked", [True, False])
def test_our_own_folders_are_refused(places: Path, path: str, linked: bool) -> None:
    own = places / path
    own.mkdir(exist_ok=True)
    if linked:
        (places / "link").symlink_to(own)
        own = places / "link"

    with pytest.raises(DestinationRefused, match="our own data"):
        FolderTarget(own, None).check()


@pytest.mark.parametrize("path", ["/", "relative/folder"])
def test_the_top_and_relative_folders_are_refused(path: str) -> None:
    with pytest.raises(DestinationRefused, match="absolute path"):
        FolderTarget(Path(path), None).check()


@pytest.mark.parametrize("number", [errno.EROFS, errno.EACCES, errno.EPERM])
def test_an_unwritable_folder_is_refused(
    target: FolderTarget, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    real = os.open

    def refuse(path: Any, flags: int, *args: Any, **kwargs: Any) -> int:
        if flags & os.O_CREAT:
            raise OSError(number, os.strerror(number))
        return real(path, flags, *args, **kwargs)

    monkeypatch.setattr(os, "open", refuse)
    with pytest.raises(DestinationRefused, match="cannot be written to"):
        target.check()


# Files


def test_a_file_is_put_whole_below_its_folders(target: FolderTarget) -> None:
    heard: list[int] = []

    receipt = target.put(
        "a/b/c.txt", [b"ab", b"c"], receipt_for(b"abc"), OWNER, heard.append
    )

    assert receipt == receipt_for(b"abc")
    assert target.digest("a/b/c.txt") == receipt
    assert sum(heard) == 3
    assert files_in(target.root) == ["a/b/c.txt"]


def test_a_file_that_is_there_already_is_not_written_again(
    target: FolderTarget,
) -> None:
    put(target, "a.txt", b"abc")
    before = (target.root / "a.txt").stat()

    put(target, "a.txt", b"", wanted=b"abc")

    after = (target.root / "a.txt").stat()
    assert (after.st_ino, after.st_ctime_ns) == (before.st_ino, before.st_ctime_ns)


@pytest.mark.parametrize("kind", ["file", "same size", "folder", "link", "fifo"])
def test_what_stands_at_the_name_is_left_alone(target: FolderTarget, kind: str) -> None:
    stand(target.root / "a.txt", kind)
    before = (target.root / "a.txt").lstat()

    with pytest.raises(TargetOccupied, match=r"a\.txt"):
        put(target, "a.txt", b"abc")

    assert (target.root / "a.txt").lstat().st_mtime_ns == before.st_mtime_ns
    assert not list(target.root.glob(".muniment-*"))


def stand(path: Path, kind: str) -> None:
    if kind == "folder":
        path.mkdir()
    elif kind == "link":
        (path.parent / "real").write_bytes(b"abc")
        path.symlink_to("real")
    elif kind == "fifo":
        os.mkfifo(path)
    else:
        path.write_bytes(b"xyz" if kind == "same size" else b"theirs")


def test_a_file_in_a_folders_place_is_left_alone(target: FolderTarget) -> None:
    put(target, "a", b"abc")

    with pytest.raises(TargetOccupied):
        put(target, "a/b", b"x")

    assert files_in(target.root) == ["a"]


def test_changed_bytes_are_not_placed(target: FolderTarget) -> None:
    with pytest.raises(DigestMismatch):
        put(target, "a.txt", b"xbc", wanted=b"abc")

    assert files_in(target.root) == []


def test_a_planted_link_leads_nowhere(target: FolderTarget, places: Path) -> None:
    outside = places / "outside"
    outside.mkdir()
    (target.root / "a").symlink_to(outside)

    with pytest.raises(UnsafePath):
        put(target, "a/b.txt", b"abc")

    assert list(outside.iterdir()) == []


@pytest.mark.parametrize("path", ["../x", "/x", "a//b", ".muniment-x", MARKER])
def test_a_path_outside_or_of_our_own_is_refused(
    target: FolderTarget, path: str
) -> None:
    with pytest.raises(UnsafePath):
        put(target, path, b"x")


def test_a_cancelled_file_leaves_nothing(target: FolderTarget) -> None:
    def beat(count: int) -> None:
        raise JobCancelled("stop")

    with pytest.raises(JobCancelled):
        target.put("a.txt", [b"abc"], None, OWNER, beat)

    assert files_in(target.root) == []


def test_a_fenced_attempt_places_nothing(target: FolderTarget) -> None:
    def chunks() -> Iterator[bytes]:
        yield b"abc"
        assert target.drop_staging(OWNER) == 1

    with pytest.raises(LeaseLost):
        target.put("a.txt", chunks(), receipt_for(b"abc"), OWNER, silent)

    assert files_in(target.root) == []


def test_dropping_staging_spares_other_files(target: FolderTarget) -> None:
    target.check()
    for name in (f".muniment-{OWNER}.1.part", ".muniment-job-17-30.1.part", "a.part"):
        (target.root / name).write_bytes(b"")

    assert target.drop_staging(OWNER) == 1

    assert files_in(target.root) == [".muniment-job-17-30.1.part", "a.part"]


def test_a_batch_syncs_each_folder_once(
    target: FolderTarget, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(target, "a/first", b"x")
    calls: list[int] = []
    monkeypatch.setattr(os, "fsync", calls.append)

    with target.batch():
        for number in range(10):
            put(target, f"a/{number}", b"x")

    assert len(calls) == 10 + 1


def test_existing_files_and_space_are_told(target: FolderTarget) -> None:
    put(target, "a.txt", b"x")

    assert target.exists("a.txt") is True
    assert target.exists("b.txt") is False
    assert (target.free_bytes() or 0) > 0


@pytest.mark.parametrize(
    ("method", "arguments"),
    [
        ("check", ()),
        ("free_bytes", ()),
        ("put", ("a", [], None, OWNER, silent)),
        ("digest", ("a",)),
        ("exists", ("a",)),
        ("drop_staging", (OWNER,)),
    ],
)
def test_the_contract_names_what_a_subclass_lacks(
    method: str, arguments: tuple[Any, ...]
) -> None:
    with pytest.raises(NotImplementedError, match=rf"provide a {method}\(\) method"):
        getattr(Target(), method)(*arguments)
