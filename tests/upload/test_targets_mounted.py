"""Folder targets that are mount points, and the markers that tell them apart."""

import hashlib
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from upload.copy_engine import Receipt, silent
from upload.errors import DestinationRefused
from upload.targets import MARKER, FolderTarget, Target

OWNER = "job-17-3"


@pytest.fixture
def target(tmp_path: Path) -> FolderTarget:
    (tmp_path / "allowed" / "archive").mkdir(parents=True)
    return FolderTarget(tmp_path / "allowed" / "archive", [tmp_path / "allowed"])


def receipt_for(content: bytes) -> Receipt:
    return Receipt(len(content), hashlib.sha256(content).hexdigest())


def put(target: Target, path: str, content: bytes) -> None:
    target.put(path, [content], receipt_for(content), OWNER, silent)


def files_in(folder: Path) -> list[str]:
    found = (path for path in folder.rglob("*") if not path.is_dir())
    return sorted(path.relative_to(folder).as_posix() for path in found)


@pytest.fixture
def mounted(target: FolderTarget) -> Iterator[FolderTarget]:
    """Mount 1 MiB on the target; fails, not skips, where root may not mount."""
    if os.geteuid() != 0:
        pytest.skip("only root can mount a file system")
    mount = ["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(target.root)]
    subprocess.run(mount, check=True)
    yield target
    subprocess.run(["umount", "-l", str(target.root)], check=False)


def unmount(target: FolderTarget) -> None:
    subprocess.run(["umount", "-l", str(target.root)], check=True)


def test_a_vanished_mount_gets_no_bytes(mounted: FolderTarget) -> None:
    mounted.check()
    put(mounted, "a.txt", b"abc")
    unmount(mounted)

    with pytest.raises(DestinationRefused, match="file system changed"):
        put(mounted, "b.txt", b"abc")

    assert list(mounted.root.iterdir()) == []


def test_a_mount_that_vanishes_within_a_file_gets_nothing_beside(
    mounted: FolderTarget,
) -> None:
    def chunks() -> Iterator[bytes]:
        yield b"ab"
        unmount(mounted)
        yield b"c"

    with pytest.raises(DestinationRefused, match="file system changed"):
        mounted.put("a.txt", chunks(), receipt_for(b"abc"), OWNER, silent)

    assert list(mounted.root.iterdir()) == []


def test_a_later_attempt_knows_the_device(mounted: FolderTarget) -> None:
    mounted.check()
    unmount(mounted)

    with pytest.raises(DestinationRefused, match="file system changed"):
        FolderTarget(mounted.root, None, device=mounted.device).check()


def test_a_full_destination_keeps_no_part(mounted: FolderTarget) -> None:
    with pytest.raises(OSError, match="No space left"):
        put(mounted, "a.bin", b"x" * 2_000_000)

    assert files_in(mounted.root) == []


def test_a_read_only_mount_is_refused(mounted: FolderTarget) -> None:
    remount = ["mount", "-o", "remount,ro", str(mounted.root)]
    subprocess.run(remount, check=True)

    with pytest.raises(DestinationRefused, match="cannot be written to"):
        mounted.check()


def marked(target: FolderTarget, identity: str) -> FolderTarget:
    return FolderTarget(target.root, target.allowed_roots, identity)


def test_a_marked_folder_passes_as_itself(target: FolderTarget) -> None:
    marked(target, "one").mark()
    marked(target, "one").mark()

    marked(target, "one").check()
    assert files_in(target.root) == [MARKER]


def test_a_folder_without_its_marker_is_refused(target: FolderTarget) -> None:
    with pytest.raises(DestinationRefused, match="is it mounted"):
        marked(target, "one").check()


def test_a_folder_marked_as_another_is_refused(target: FolderTarget) -> None:
    marked(target, "one").mark()

    with pytest.raises(DestinationRefused, match="is it mounted"):
        marked(target, "two").check()
    with pytest.raises(DestinationRefused, match="another destination"):
        marked(target, "two").mark()
