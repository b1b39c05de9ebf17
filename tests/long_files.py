"""Very long files that take no room: sparse, with the rows that the core would leave.

Only what a job really writes takes space, so a test that cancels early stays small.
"""

import hashlib
import os
import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import mkdtemp
from typing import Any
from uuid import uuid4

from django.conf import settings
from django.db import connections
from django.test.utils import override_settings

from tests.make import make_session
from upload import paths, tasks
from upload.models import Job, PermUploadedFile, TempUploadedFile, UploadSession
from upload.states import SessionStatus
from upload.storage import (
    TempFileStorage,
    UploadedFileStorage,
    fingerprint,
    local_path,
)

GIB = 1 << 30
UNKNOWN = "0" * 64
MEMORY = Path("/dev/shm")  # noqa: S108 - the other file system of these tests


@contextmanager
def temp_storage_elsewhere() -> Iterator[Path]:
    """Keep temporary files in a file system of their own, in memory; deleted after."""
    folder = Path(mkdtemp(prefix="muniment-", dir=MEMORY))
    storages: dict[str, Any] = dict(settings.STORAGES)
    options = storages["temp"]["OPTIONS"] | {"location": folder}
    storages["temp"] = storages["temp"] | {"OPTIONS": options}
    try:
        with override_settings(STORAGES=storages, TEMP_STORAGE_FOLDER=folder):
            yield folder
    finally:
        shutil.rmtree(folder)


def digest_of_zeros(size_bytes: int) -> str:
    sha256, block = hashlib.sha256(), bytes(1 << 20)
    for _block in range(size_bytes >> 20):
        sha256.update(block)
    return sha256.hexdigest()


def uploaded_session(size_bytes: int, sha256: str = UNKNOWN) -> UploadSession:
    """Return an UPLOADING session of one sparse file."""
    return _session(TempUploadedFile, TempFileStorage(), size_bytes, sha256)


def stored_session(size_bytes: int, sha256: str = UNKNOWN) -> UploadSession:
    """Return a STORED session of one sparse file."""
    return _session(PermUploadedFile, UploadedFileStorage(), size_bytes, sha256)


def _session(model: Any, storage: Any, size_bytes: int, sha256: str) -> UploadSession:
    session = make_session()
    row = model(session=session, uuid=uuid4(), name="film.mkv", size=size_bytes)
    row.original_name, row.sha256 = row.name, sha256
    row.file_upload = key = paths.key_for(session.uuid, row.uuid)
    path = Path(str(local_path(storage, key)))
    path.parent.mkdir(parents=True, exist_ok=True)
    path.touch(0o600)
    os.truncate(path, size_bytes)
    if model is TempUploadedFile:
        row.fingerprint = fingerprint(storage, key)
    row.save()
    stored = model is PermUploadedFile
    UploadSession.objects.filter(pk=session.pk).update(
        status=SessionStatus.STORED if stored else SessionStatus.UPLOADING,
        total_files=1,
        total_size_bytes=size_bytes,
    )
    session.refresh_from_db()
    return session


def run_beside(job: Job) -> None:
    """Run one attempt of the job in a thread that is not the caller's."""
    try:
        tasks.run_job(job.pk)
    finally:
        connections.close_all()


def wait_until(condition: Callable[[], Any], within_seconds: float = 30) -> None:
    """Return once the condition holds; raise ``TimeoutError`` at the deadline."""
    deadline = time.monotonic() + within_seconds
    while not condition():
        if time.monotonic() > deadline:
            raise TimeoutError(f"Not true within {within_seconds} s: {condition}.")
        time.sleep(0.02)


def files_below(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]
