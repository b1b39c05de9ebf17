"""File systems of a test's own, unmounted and their loop devices freed in every case.

Needs root and the right to mount.
"""

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.services.system import missing, require_program


def require_mounting() -> None:
    """End the test where nothing can be mounted; see ``tests.services.system``."""
    require_program("mkfs.ext4")
    if os.geteuid() != 0:
        missing("Only root can mount file systems.")


def make_image(image: Path, size_mib: int) -> None:
    """Make an empty ext4 file system in a sparse file."""
    with image.open("wb") as file:
        file.truncate(size_mib << 20)
    _run("mkfs.ext4", "-q", "-F", str(image))


@contextmanager
def mounted(image: Path, place: Path) -> Iterator[None]:
    """Mount an image at a folder; ``umount`` frees its loop device."""
    with _mounted(place, "-o", "loop", str(image)):
        yield


@contextmanager
def small_disk(place: Path, size_bytes: int) -> Iterator[None]:
    """Mount a file system in memory that takes no more than so many bytes."""
    with _mounted(place, "-t", "tmpfs", "-o", f"size={size_bytes}", "tmpfs"):
        yield


@contextmanager
def exfat(image: Path, place: Path, size_mib: int) -> Iterator[None]:
    """Mount a new exFAT file system: it knows no links, owners or case."""
    with image.open("wb") as file:
        file.truncate(size_mib << 20)
    found = subprocess.run(
        ["losetup", "--find", "--show", str(image)],
        check=True,
        capture_output=True,
        text=True,
    )
    device = found.stdout.strip()
    try:
        _run("mkfs.exfat", device)
        _run("mount.exfat-fuse", device, str(place))
        try:
            yield
        finally:
            _run("umount", str(place))
    finally:
        _run("losetup", "--detach", device)


@contextmanager
def _mounted(place: Path, *options: str) -> Iterator[None]:
    _run("mount", *options, str(place))
    try:
        yield
    finally:
        if os.path.ismount(place):  # the test may have unmounted it
            _run("umount", str(place))


def remount(place: Path, mode: str) -> None:
    """Make a mounted file system ``ro`` or ``rw``."""
    _run("mount", "-o", f"remount,{mode}", str(place))


def detach(place: Path) -> None:
    """Take a file system away from under those who have it open."""
    _run("umount", "--lazy", str(place))


def _run(*command: str) -> None:
    subprocess.run(command, check=True)
