"""One 5 GiB file to S3, SFTP and FTP and back: memory and time.

The source is sparse; the servers keep what they get in a folder below DATA_DIR, which
needs 6 GiB while this runs. SFTP and FTP read back what they wrote.
"""

import os
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from tests.services import ftp, rclone
from tests.upload.queued.remotes import ftp_entry, s3_entry, sftp_entry
from tests.upload.queued.streaming import measure

type Row = tuple[str, str, str, bool]

MIB_OF_FILE = 5 << 10
MEMORY_LIMIT_MIB = 64


def run() -> list[Row]:
    rows = []
    for kind, serving in (("S3", _s3), ("SFTP", _sftp), ("FTP", _ftp)):
        with (
            TemporaryDirectory(dir=os.environ["DATA_DIR"]) as folder,
            serving(Path(folder)) as entry,
        ):
            rows.append(_row(kind, measure(entry, MIB_OF_FILE, Path(folder))))
    return rows


def _row(kind: str, measured: list[float]) -> Row:
    grown_mib, save_seconds, read_seconds = measured
    return (
        f"{kind}: save and read 1 x 5 GiB, memory grows by",
        f"{grown_mib:.0f} MiB ({save_seconds:.0f} s there, {read_seconds:.0f} s back)",
        f"at most {MEMORY_LIMIT_MIB} MiB",
        grown_mib <= MEMORY_LIMIT_MIB,
    )


@contextmanager
def _s3(folder: Path) -> Iterator[dict[str, Any]]:
    with rclone.s3_server(folder / "s3") as server:
        bucket = uuid.uuid4().hex
        (server.root / bucket).mkdir()
        yield s3_entry(server.port, bucket)


@contextmanager
def _sftp(folder: Path) -> Iterator[dict[str, Any]]:
    with rclone.sftp_server(folder / "sftp") as server:
        yield sftp_entry(server)


@contextmanager
def _ftp(folder: Path) -> Iterator[dict[str, Any]]:
    with ftp.ftp_server(folder / "ftp") as server:
        yield ftp_entry(server)
