"""Keys, and the walk below a root that follows no link."""

import os
import socket
from pathlib import Path
from uuid import UUID, uuid4

import pytest

from upload import paths
from upload.durable import FolderSyncs
from upload.errors import TargetOccupied, UnsafePath

SESSION = UUID("ab000000-0000-4000-8000-000000000001")
FILE = UUID("cd000000-0000-4000-8000-000000000002")


def test_a_key_is_made_of_uuids_and_spread_over_folders() -> None:
    key = paths.key_for(SESSION, FILE)

    assert key == f"ab/{SESSION.hex}/c/{FILE.hex}"


def test_two_files_never_share_a_key() -> None:
    keys = {paths.key_for(SESSION, uuid4()) for _number in range(1000)}

    assert len(keys) == 1000


@pytest.mark.parametrize(
    "key", ["", "/etc/x", "../x", "a/../b", "a//b", "a/", "./a", ".", "..", "a\0b"]
)
def test_a_key_that_is_no_plain_relative_path_is_refused(key: str) -> None:
    with pytest.raises(UnsafePath, match="relative path of plain names"):
        paths.parts_of(key)


def test_odd_but_plain_names_are_parts() -> None:
    assert paths.parts_of("-rf/..x/a\\b/…") == ("-rf", "..x", "a\\b", "…")


def test_made_folders_are_private(tmp_path: Path) -> None:
    with (
        paths.closing(paths.open_root(tmp_path)) as root,
        paths.walk(root, ["a", "b"], 0o700),
    ):
        pass

    assert (tmp_path / "a").stat().st_mode & 0o777 == 0o700
    assert (tmp_path / "a" / "b").stat().st_mode & 0o777 == 0o700


def test_a_missing_root_is_made_only_on_request(tmp_path: Path) -> None:
    missing = tmp_path / "x" / "y"

    with pytest.raises(FileNotFoundError):
        paths.open_root(missing)
    os.close(paths.open_root(missing, 0o700))

    assert missing.is_dir()


def test_the_walk_refuses_a_link_to_a_folder(tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "secret").write_bytes(b"s")
    root = tmp_path / "root"
    root.mkdir()
    (root / "link").symlink_to(outside)

    with pytest.raises(UnsafePath, match="link"):
        paths.open_below(root, "link/secret")


def test_the_walk_refuses_to_make_folders_in_a_file(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"")

    with (
        pytest.raises(TargetOccupied),
        paths.closing(paths.open_root(tmp_path)) as root,
        paths.walk(root, ["a", "b"], 0o700),
    ):
        pass


@pytest.mark.parametrize("kind", ["fifo", "link", "folder", "socket"])
def test_only_a_regular_file_is_opened(tmp_path: Path, kind: str) -> None:
    plant(tmp_path / "x", kind)

    with pytest.raises(UnsafePath, match="not a regular file"):
        paths.open_below(tmp_path, "x")


def plant(path: Path, kind: str) -> None:
    if kind == "fifo":
        os.mkfifo(path)
    elif kind == "link":
        (path.parent / "real").write_bytes(b"real")
        path.symlink_to("real")
    elif kind == "folder":
        path.mkdir()
    else:
        with socket.socket(socket.AF_UNIX) as server:
            folder = os.open(path.parent, os.O_RDONLY)
            # A socket's path is limited to 108 bytes, a temporary folder's is not.
            server.bind(f"/proc/self/fd/{folder}/{path.name}")
            os.close(folder)


def test_pruning_stops_at_a_folder_with_entries(tmp_path: Path) -> None:
    (tmp_path / "a" / "b" / "c").mkdir(parents=True)
    (tmp_path / "a" / "kept").write_bytes(b"")

    with paths.closing(paths.open_root(tmp_path)) as root, FolderSyncs() as syncs:
        paths.prune_empty(root, [["a", "b", "c"]], syncs)

    assert sorted(p.name for p in (tmp_path / "a").iterdir()) == ["kept"]


def test_pruning_keeps_the_root(tmp_path: Path) -> None:
    (tmp_path / "root" / "a").mkdir(parents=True)

    with (
        paths.closing(paths.open_root(tmp_path / "root")) as root,
        FolderSyncs() as syncs,
    ):
        paths.prune_empty(root, [["a", "gone"]], syncs)

    assert list((tmp_path / "root").iterdir()) == []


@pytest.mark.parametrize("planted", ["file", "link"])
def test_pruning_goes_on_beside_what_stands_in_the_place_of_a_folder(
    tmp_path: Path, planted: str
) -> None:
    root = tmp_path / "root"
    (tmp_path / "elsewhere" / "b").mkdir(parents=True)
    (root / "c" / "d").mkdir(parents=True)
    if planted == "file":
        (root / "a").write_bytes(b"")
    else:
        (root / "a").symlink_to(tmp_path / "elsewhere")

    with paths.closing(paths.open_root(root)) as top, FolderSyncs() as syncs:
        paths.prune_empty(top, [["a", "b"], ["c", "d"]], syncs)

    assert [path.name for path in root.iterdir()] == ["a"]
    assert (tmp_path / "elsewhere" / "b").is_dir()


def test_folders_of_one_disk_are_on_the_same_device(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()

    assert paths.same_device(tmp_path, tmp_path / "a") is True
