"""Sessions with many or large files for measurements, made quickly and honestly.

Rows and bytes are as the core leaves them: the bytes stand under their keys with the
size, digest and fingerprint that the rows name.
"""

import hashlib
import os
import statistics
import time
from collections.abc import Callable
from pathlib import Path
from uuid import uuid4

from upload import paths
from upload.models import TempUploadedFile, UploadSession
from upload.states import SessionStatus
from upload.storage import TempFileStorage, fingerprint, local_path

RUNS = 5
CHUNK = 1 << 20


def session_of(count: int, size_bytes: int) -> UploadSession:
    """Return an UPLOADING session of ``count`` files of ``size_bytes`` each."""
    session = UploadSession.new_session()
    storage = TempFileStorage()
    content = os.urandom(min(size_bytes, CHUNK))
    digest = _digest(content, size_bytes)
    rows = []
    for number in range(count):
        row = TempUploadedFile(session=session, uuid=uuid4(), name=f"{number:06}.bin")
        row.original_name = row.name
        row.file_upload = paths.key_for(session.uuid, row.uuid)
        write(Path(str(local_path(storage, row.file_upload.name))), content, size_bytes)
        row.size, row.sha256 = size_bytes, digest
        row.fingerprint = fingerprint(storage, str(row.file_upload.name))
        rows.append(row)
    TempUploadedFile.objects.bulk_create(rows, batch_size=500)
    UploadSession.objects.filter(pk=session.pk).update(
        status=SessionStatus.UPLOADING,
        total_files=count,
        total_size_bytes=count * size_bytes,
    )
    session.refresh_from_db()
    return session


def _digest(content: bytes, size_bytes: int) -> str:
    sha256 = hashlib.sha256()
    for start in range(0, size_bytes, CHUNK):
        sha256.update(content[: min(CHUNK, size_bytes - start)])
    return sha256.hexdigest()


def write(path: Path, content: bytes, size_bytes: int) -> None:
    """Write a file of ``size_bytes`` that repeats ``content``."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("wb") as file:
        for start in range(0, size_bytes, CHUNK):
            file.write(content[: min(CHUNK, size_bytes - start)])


def seconds(deed: Callable[[], object]) -> float:
    """Return how long the deed took, with nothing left to write back before it."""
    os.sync()
    start = time.perf_counter()
    deed()
    return time.perf_counter() - start


def medians(*prepare: Callable[[], Callable[[], object]]) -> list[float]:
    """Return the median seconds of each contestant, taking turns in each of 5 runs.

    Each ``prepare`` makes a fresh input and returns the deed to be timed.
    """
    times: list[list[float]] = [[] for _ in prepare]
    for _run in range(RUNS):
        for taken, make in zip(times, prepare, strict=True):
            taken.append(seconds(make()))
    return [statistics.median(taken) for taken in times]
