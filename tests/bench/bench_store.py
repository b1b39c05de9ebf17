"""Store against the bare system calls that the same promise takes."""

import hashlib
import os
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path

from django.db import connection
from django.test.utils import CaptureQueriesContext

from tests.bench.sessions import medians, session_of, write
from tests.long_files import temp_storage_elsewhere
from upload import direct
from upload.states import JobKind
from upload.storage import TempFileStorage, local_path

SMALL, LARGE, MIB = 10 * 1024, 1 << 30, 1 << 20
type Row = tuple[str, str, str, bool]


def run() -> list[Row]:
    return [
        *_small_files(),
        *_large_file(),
        *_across("20 x 50 MiB", 20, 50 * MIB),
        *_across("1 x 1 GiB", 1, LARGE),
        *_statements(),
    ]


def _store(count: int, size_bytes: int) -> Callable[[], object]:
    session = session_of(count, size_bytes)
    return lambda: direct.run_now(session, JobKind.STORE)


def _bare_rename(count: int, size_bytes: int) -> Callable[[], object]:
    """Rename each file into a folder and fsync both folders once."""
    root = Path(tempfile.mkdtemp(dir=os.environ["DATA_DIR"]))
    old, new = root / "old", root / "new"
    new.mkdir()
    for number in range(count):
        write(old / str(number), os.urandom(1024), size_bytes)

    def deed() -> None:
        for number in range(count):
            (old / str(number)).rename(new / str(number))
        for folder in (old, new):
            descriptor = os.open(folder, os.O_RDONLY)
            os.fsync(descriptor)
            os.close(descriptor)
        shutil.rmtree(root)

    return deed


def _small_files() -> list[Row]:
    ours, bare = medians(lambda: _store(1000, SMALL), lambda: _bare_rename(1000, SMALL))
    return [
        (
            "store 1,000 x 10 KiB: files a second",
            f"{1000 / ours:.0f}",
            "at least 20 x 170 (the peer)",
            1000 / ours >= 3400,
        ),
        (
            "store 1,000 x 10 KiB: times bare rename + folder fsync",
            f"{ours / bare:.2f}",
            "at most 6",
            ours / bare <= 6,
        ),
    ]


def _large_file() -> list[Row]:
    ours, small = medians(lambda: _store(1, LARGE), lambda: _store(1, SMALL))
    return [
        (
            "store 1 x 1 GiB: times 1 x 10 KiB (constant time)",
            f"{ours / small:.2f} ({ours * 1000:.0f} ms)",
            "at most 3",
            ours / small <= 3,
        )
    ]


def _across(title: str, count: int, size_bytes: int) -> list[Row]:
    """Store from a file system in memory, so that what is measured is the writing."""
    with temp_storage_elsewhere():
        ours, bare = medians(
            lambda: _store(count, size_bytes), lambda: _bare_copy(count, size_bytes)
        )
    return [
        (
            f"store {title} across file systems: times copyfile + fsync + SHA-256",
            f"{ours / bare:.2f} ({ours:.2f} s)",
            "at most 1.3",
            ours / bare <= 1.3,
        )
    ]


def _bare_copy(count: int, size_bytes: int) -> Callable[[], object]:
    """Copy and fsync each file and take one digest, as the careful peer does."""
    rows = session_of(count, size_bytes).tempuploadedfile_set.all()
    storage = TempFileStorage()
    files = [Path(str(local_path(storage, row.file_upload.name))) for row in rows]
    folder = Path(tempfile.mkdtemp(dir=os.environ["DATA_DIR"]))

    def deed() -> None:
        for file in files:
            shutil.copyfile(file, folder / file.name)
            with (folder / file.name).open("rb") as copied:
                os.fsync(copied.fileno())
            with file.open("rb") as source:
                hashlib.file_digest(source, "sha256")
        for file in files:
            file.unlink()

    return deed


def _statements() -> list[Row]:
    count = 10_000
    deed = _store(count, 16)
    with CaptureQueriesContext(connection) as statements:
        deed()
    each = len(statements) / count
    return [
        (
            "store 10,000 files: database statements a file",
            f"{each:.4f}",
            "at most 0.05",
            each <= 0.05,
        )
    ]
