"""The remote is down half of the time, caches are flushed, workers are killed.

``CHAOS_FILES=1000`` transfers as many as docs/queued-storage.md tells of.
"""

import json
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.core.cache import cache
from django.core.files.base import ContentFile
from django.utils import timezone

from tests.codebase import ROOT
from tests.services.cutting import Cutting, cutting_proxy
from tests.upload.queued.made import content, to_remote
from tests.upload.queued.remotes import entry_of
from tests.upload.queued.test_remotes_faults import port_of, through
from upload.queued_storage.models import QueuedFile
from upload.queued_storage.tasks import drain

pytestmark = pytest.mark.django_db(transaction=True)

FILES = int(os.environ.get("CHAOS_FILES", "40"))
ROUNDS = 4
LONG_BYTES = 9 << 20
LIMIT_SECONDS = 600
LOOK_SECONDS = 0.05


@contextmanager
def worker(
    folder: Path, entry: dict[str, Any], environment: dict[str, str]
) -> Iterator[None]:
    """Run a worker and kill it at the end of the block."""
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.upload.queued.working", str(folder)],
        cwd=ROOT,
        env=environment,
        stdin=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    assert process.stdin is not None
    process.stdin.write(json.dumps(entry))
    process.stdin.close()
    try:
        yield
    finally:
        assert process.poll() is None
        process.send_signal(signal.SIGKILL)
        process.wait()


def wait_until(holds: Any) -> None:
    until = time.monotonic() + LIMIT_SECONDS
    while not holds():
        assert time.monotonic() < until
        time.sleep(LOOK_SECONDS)


def sent() -> int:
    return QueuedFile.objects.filter(state="both").count()


def go_down(proxy: Cutting) -> None:
    proxy.cut_after = 0


def come_back(proxy: Cutting) -> None:
    proxy.cut_after = None


def let_leases_run_out() -> None:
    past = timezone.now() - timedelta(seconds=1)
    QueuedFile.objects.filter(next_run_at__gt=past).update(next_run_at=past)


def one_round(proxy: Cutting, share: int, choice: random.Random) -> None:
    """Let some files pass, then be away until attempts have failed."""
    come_back(proxy)
    goal = min(FILES, sent() + choice.randint(1, share))
    wait_until(lambda: sent() >= goal)
    go_down(proxy)
    cache.clear()
    wait_until(lambda: sent() == FILES or QueuedFile.objects.exclude(error="").exists())


def test_all_files_arrive_once_and_right(
    tmp_path: Path, request: pytest.FixtureRequest, program_environment: dict[str, str]
) -> None:
    choice = random.Random(4)
    entry = entry_of("s3", request)
    entry["OPTIONS"]["patience_seconds"] = 0.2
    environment = program_environment | {
        "QUEUED_STORAGE_RETRIES": "1000",
        "QUEUED_STORAGE_RETRY_DELAY": "0",
    }
    with cutting_proxy(port_of(entry["OPTIONS"])) as proxy:
        entry = through(entry, proxy.port)
        storage = to_remote(tmp_path, entry, identity="chaos")
        whole = {
            storage.save(f"{number}.bin", ContentFile(body)): body
            for number, body in enumerate(_bodies(choice))
        }
        for _round in range(ROUNDS):
            with worker(tmp_path, entry, environment):
                one_round(proxy, 2 * FILES // ROUNDS, choice)
            let_leases_run_out()
        come_back(proxy)
        while sent() < FILES:
            drain(storage.storage_key)

        assert storage.remote.listdir("") == ([], sorted(whole))
        for name, body in whole.items():
            assert content(storage.remote, name) == body


def _bodies(choice: random.Random) -> Iterator[bytes]:
    """Yield short files, and two that go in several parts."""
    for number in range(FILES):
        yield choice.randbytes(LONG_BYTES if number < 2 else 10 << 10)
