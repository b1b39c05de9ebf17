"""Placing without replacing, and the number of fsyncs it takes."""

import errno
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from upload import durable
from upload.copy_engine import stage
from upload.durable import Entry, FolderSyncs, place, place_many
from upload.errors import LeaseLost, TargetOccupied


@pytest.fixture(autouse=True)
def storages_in_tmp() -> None:
    """Make no storages: these tests look at a bare folder."""


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[int]:
    descriptor = os.open(tmp_path, os.O_RDONLY)
    yield descriptor
    os.close(descriptor)


def test_a_placed_file_has_only_its_final_name(folder: int, tmp_path: Path) -> None:
    stage([b"x"], Entry(folder, "s"))

    place(Entry(folder, "s"), Entry(folder, "final"))

    assert [path.name for path in tmp_path.iterdir()] == ["final"]


def no_renameat2(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(durable, "_renameat2", lambda: None)


def no_links(patch: pytest.MonkeyPatch) -> None:
    def refuse(*args: Any, **kwargs: Any) -> None:
        raise OSError(errno.EPERM, "no links here")

    no_renameat2(patch)
    patch.setattr(os, "link", refuse)


WAYS = [lambda patch: None, no_renameat2, no_links]


@pytest.mark.parametrize("way", WAYS, ids=["renameat2", "link", "rename"])
def test_placing_works_on_each_file_system(
    folder: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, way: Any
) -> None:
    stage([b"x"], Entry(folder, "s"))
    way(monkeypatch)

    place(Entry(folder, "s"), Entry(folder, "final"))

    assert [path.name for path in tmp_path.iterdir()] == ["final"]


@pytest.mark.parametrize("way", WAYS, ids=["renameat2", "link", "rename"])
@pytest.mark.parametrize("kind", ["file", "folder", "link", "broken link"])
def test_placing_replaces_nothing(
    folder: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, way: Any, kind: str
) -> None:
    stage([b"ours"], Entry(folder, "s"))
    stand(tmp_path / "final", kind)
    before = (tmp_path / "final").lstat()
    way(monkeypatch)

    with pytest.raises(TargetOccupied, match="already stands at “final”"):
        place(Entry(folder, "s"), Entry(folder, "final"))

    assert os.path.samestat(before, (tmp_path / "final").lstat())
    assert (tmp_path / "s").read_bytes() == b"ours"


def stand(path: Path, kind: str) -> None:
    if kind == "file":
        path.write_bytes(b"theirs")
    elif kind == "folder":
        path.mkdir()
    else:
        path.symlink_to("s" if kind == "link" else "nowhere")


def test_a_dropped_staging_file_cannot_be_placed(folder: int, tmp_path: Path) -> None:
    stage([b"x"], Entry(folder, "s"))
    Entry(folder, "s").drop()

    with pytest.raises(LeaseLost, match="another attempt"):
        place(Entry(folder, "s"), Entry(folder, "final"))

    assert list(tmp_path.iterdir()) == []


def test_placing_in_a_pruned_folder_asks_for_another_walk(
    folder: int, tmp_path: Path
) -> None:
    stage([b"x"], Entry(folder, "s"))
    (tmp_path / "a").mkdir()
    gone = os.open(tmp_path / "a", os.O_RDONLY)
    (tmp_path / "a").rmdir()

    with pytest.raises(durable.FolderGone):
        place(Entry(folder, "s"), Entry(gone, "final"))
    os.close(gone)

    assert (tmp_path / "s").exists()


def test_a_batch_syncs_each_folder_once(
    folder: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    pairs = [(Entry(folder, f"s{n}"), Entry(folder, f"f{n}")) for n in range(20)]
    for staging, _final in pairs:
        stage([b"x"], staging)
    calls: list[int] = []
    monkeypatch.setattr(os, "fsync", calls.append)

    place_many(pairs)

    assert len(calls) == 1


def test_syncs_close_what_they_held_after_an_error(folder: int) -> None:
    before = len(os.listdir("/proc/self/fd"))  # noqa: PTH208 - counts, names no path

    with pytest.raises(OSError, match="stop"), FolderSyncs() as syncs:
        syncs.add(folder)
        raise OSError("stop")

    assert len(os.listdir("/proc/self/fd")) == before  # noqa: PTH208
