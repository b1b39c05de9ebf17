"""Copies out against rclone and against the bare calls that promise less.

Ours verifies by what the destination gives back, is durable and writes its rows.
"""

import hashlib
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from uuid import uuid4

from django.conf import settings
from django.db import connection
from django.test.utils import CaptureQueriesContext

from tests.bench.sessions import medians, session_of
from upload import direct
from upload.models import Destination, UploadSession
from upload.states import JobKind
from upload.storage import UploadedFileStorage, local_path

MIB = 1 << 20
SMALL = 10 * 1024
type Row = tuple[str, str, str, bool]
type Deed = Callable[[], object]


def run() -> list[Row]:
    """Measure small files first, and delete them last.

    For minutes after a deletion ext4 passes over the freed inodes one by one at each
    new file of the block group (``recently_deleted``): the disk would be measured.
    """
    with ExitStack() as kept:
        small = kept.enter_context(_stored(1000, SMALL))
        in_bags = kept.enter_context(_stored(1000, SMALL))
        rows = [*_small(small), *_bag("1,000 x 10 KiB", in_bags)]
        rows += [
            *_large("20 x 50 MiB", 20, 50 * MIB),
            *_large("1 x 1 GiB", 1, 1024 * MIB),
        ]
        with _stored(20, 50 * MIB) as stored:
            rows += _bag("20 x 50 MiB", stored)
        return [*rows, *_statements()]


class Stored:
    """A stored session, its bytes on this disk, and fresh folders to copy it into."""

    def __init__(self, count: int, size_bytes: int) -> None:
        self.session = session_of(count, size_bytes)
        self.session.make_uploads_permanent()
        keys = self.session.permuploadedfile_set.values_list("file_upload", flat=True)
        storage = UploadedFileStorage()
        self.files = [Path(str(local_path(storage, key))) for key in keys]
        self.folder = self.files[0].parents[len(Path(keys[0]).parts) - 2]
        self._used: list[Path] = []

    def fresh(self) -> Path:
        """Return a new folder below the destinations, which stays to the end."""
        folder = Path(settings.DESTINATION_ROOTS[0]) / f"bench-{uuid4()}"
        folder.mkdir(parents=True)
        self._used.append(folder)
        return folder

    def delete(self) -> None:
        for folder in (self.folder, *self._used):
            shutil.rmtree(folder)

    def ours(self) -> Deed:
        folder = self.fresh()
        return lambda: _require(not self.session.copy_session_uploads(str(folder))[1])

    def rclone(self) -> Deed:
        """Let rclone copy and compare, then make durable what it has written."""
        command = [_program("rclone"), "copy", "--checksum", "--config", os.devnull]
        folder = str(self.fresh())

        def deed() -> None:
            _run(*command, str(self.folder), folder)
            _run("sync", "--file-system", folder)

        return deed

    def plain(self) -> Deed:
        """Copy and fsync each file, and read the source once for its digest."""
        folder = self.fresh()

        def deed() -> None:
            for number, source in enumerate(self.files):
                _copy_and_sync(source, folder / str(number))
                with source.open("rb") as file:
                    hashlib.file_digest(file, "sha256")
            _sync(folder)

        return deed

    def file_by_file(self) -> Deed:
        folder = self.fresh()

        def deed() -> None:
            for number, source in enumerate(self.files):
                _copy_and_sync(source, folder / str(number))
            _sync(folder)

        return deed

    def our_bag(self) -> Deed:
        folder = self.fresh()
        archive = Destination.objects.create(
            name=folder.name, folder=str(folder), layout=Destination.Layout.BAG
        )
        session = UploadSession.objects.get(pk=self.session.pk)
        return lambda: direct.run_now(session, JobKind.COPY, destination=archive)

    def their_bag(self) -> Deed:
        folder = self.fresh() / "bag"
        bagit = [sys.executable, "-W", "ignore", "-m", "bagit", "--quiet"]

        def deed() -> None:
            _run("cp", "-r", str(self.folder), str(folder))
            _run(*bagit, "--processes", "2", "--sha256", str(folder))
            _run("sync")

        return deed


@contextmanager
def _stored(count: int, size_bytes: int) -> Iterator[Stored]:
    stored = Stored(count, size_bytes)
    try:
        yield stored
    finally:
        stored.delete()


def _large(what: str, count: int, size_bytes: int) -> list[Row]:
    with _stored(count, size_bytes) as stored:
        ours, rclone, plain = medians(stored.ours, stored.rclone, stored.plain)
    rate = count * size_bytes / MIB / ours
    return [
        (
            f"copy {what}: times as fast as rclone copy --checksum, sync",
            f"{rclone / ours:.2f} ({rate:.0f} MiB/s)",
            "at least 1.5",
            rclone / ours >= 1.5,
        ),
        (
            f"copy {what}: times copyfile + fsync + SHA-256",
            f"{ours / plain:.2f}",
            "at most 1.5",
            ours / plain <= 1.5,
        ),
    ]


def _small(stored: Stored) -> list[Row]:
    ours, single = medians(stored.ours, stored.file_by_file)
    return [
        (
            "copy 1,000 x 10 KiB: times as fast as copyfile + fsync of each",
            f"{single / ours:.2f} ({1000 / ours:.0f} files/s)",
            "at least 2",
            single / ours >= 2,
        )
    ]


def _bag(what: str, stored: Stored) -> list[Row]:
    ours, theirs = medians(stored.our_bag, stored.their_bag)
    return [
        (
            f"bag of {what}: times cp -r, bagit.py --processes 2, sync",
            f"{ours / theirs:.2f}",
            "at most 1",
            ours <= theirs,
        )
    ]


def _statements() -> list[Row]:
    count = 10_000
    with _stored(count, 16) as stored:
        deed = stored.ours()
        with CaptureQueriesContext(connection) as statements:
            deed()
    each = len(statements) / count
    return [
        (
            "copy 10,000 files: database statements a file",
            f"{each:.4f}",
            "at most 0.05",
            each <= 0.05,
        )
    ]


def _copy_and_sync(source: Path, target: Path) -> None:
    shutil.copyfile(source, target)
    with target.open("rb") as file:
        os.fsync(file.fileno())


def _sync(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    os.fsync(descriptor)
    os.close(descriptor)


def _program(name: str) -> str:
    return str(Path(sys.executable).with_name(name))


def _run(*command: str) -> None:
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)


def _require(true: bool) -> None:
    if not true:
        raise SystemExit("Files are missing in the copy; the measurement is void.")
