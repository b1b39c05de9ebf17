"""A bucket of each test's own, and a target in it behind a faulty proxy."""

import hashlib
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from tests.services import rclone
from tests.services.faulty_http import Faulty, faulty_proxy
from tests.upload.s3.targets import Clock, opened
from upload.targets.s3 import S3Target


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def bucket(s3_server: rclone.Server, tmp_path: Path) -> Path:
    name = hashlib.sha256(str(tmp_path).encode()).hexdigest()[:20]
    (s3_server.root / name).mkdir()
    return s3_server.root / name


@pytest.fixture
def proxy(s3_server: rclone.Server) -> Iterator[Faulty]:
    with faulty_proxy(s3_server.port) as proxy:
        yield proxy


@pytest.fixture
def target(proxy: Faulty, bucket: Path, clock: Clock) -> Iterator[S3Target]:
    with closing(opened(proxy.port, bucket.name, clock)) as target:
        target.check()
        proxy.seen.clear()
        yield target
