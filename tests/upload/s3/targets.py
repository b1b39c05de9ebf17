"""Targets on an S3 server, what is put there, and a time that passes by waiting."""

import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

from django.utils.module_loading import import_string

from tests.upload.places import S3, s3_entry
from upload.copy_engine import Receipt, silent
from upload.targets.patience import Patience
from upload.targets.s3 import S3Target
from upload.targets.s3_upload import PART_BYTES

OWNER = "job-17-3"
LONG = b"x" * (PART_BYTES + 1)


class Clock:
    """A time that passes only by waiting."""

    def __init__(self) -> None:
        self.now = 0.0

    def wait(self, seconds: float) -> None:
        self.now += seconds

    def __call__(self) -> float:
        return self.now


def opened(port: int, bucket: str, clock: Clock, **options: Any) -> S3Target:
    entry = s3_entry(port, bucket, location="", **options)
    storage = import_string(S3)(**entry["OPTIONS"])
    patience = Patience(pause=clock.wait, clock=clock)
    return S3Target(storage, patience=patience)


def put(
    target: S3Target, content: bytes, beat: Callable[[int], None] = silent
) -> Receipt:
    expected = Receipt(len(content), hashlib.sha256(content).hexdigest())
    return target.put("a.bin", [content], expected, OWNER, beat)


def held(bucket: Path) -> dict[str, bytes]:
    return {
        path.name: path.read_bytes() for path in bucket.rglob("*") if path.is_file()
    }
