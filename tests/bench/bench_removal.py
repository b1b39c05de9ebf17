"""The removal of 100,000 stored files: rows, bytes and a certificate of each file."""

import time

from tests.bench import memory
from tests.bench.sessions import session_of
from upload import direct
from upload.models import PermUploadedFile, RemovalCertificate, RemovedFile
from upload.states import JobKind

type Row = tuple[str, str, str, bool]

FILES = 100_000
FILE_BYTES = 4096
LONGEST_SECONDS = 600
MEMORY_LIMIT_BYTES = 512 << 20


def run() -> list[Row]:
    session = session_of(FILES, FILE_BYTES)
    direct.run_now(session, JobKind.STORE)
    before, start = memory.forget_peak(), time.monotonic()
    job = direct.run_now(session, JobKind.REMOVE, reason="Measured")
    seconds, peak = time.monotonic() - start, memory.own_bytes("VmHWM")
    left = PermUploadedFile.objects.filter(session=session).count()
    named = RemovedFile.objects.filter(job_uuid=job.uuid).count()
    certified = RemovalCertificate.objects.get(job_uuid=job.uuid).files
    return [
        (
            "remove 100,000 x 4 KiB with a certificate: time",
            f"{seconds:.0f} s ({FILES / seconds:.0f} files a second)",
            "at most 600 s",
            seconds <= LONGEST_SECONDS,
        ),
        (
            "remove 100,000 x 4 KiB: memory of the worker",
            f"{peak / (1 << 20):.0f} MiB, {before / (1 << 20):.0f} before",
            "at most 512 MiB",
            peak <= MEMORY_LIMIT_BYTES,
        ),
        (
            "remove 100,000 x 4 KiB: files left, files on the certificate",
            f"{left}, {named} ({certified})",
            "0, 100000 (100000)",
            (left, named, certified) == (0, FILES, FILES),
        ),
    ]
