"""A queued storage beside Django's own, and its transfers beside ``rclone copy``.

Both sides of each figure run in turns over the same folder and the same S3 server; the
median of five turns counts.
"""

import os
import shutil
import subprocess
import sys
import time
import uuid
from collections.abc import Callable
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import Any

from tests.bench.sessions import seconds
from tests.services import rclone

type Row = tuple[str, str, str, bool]

TURNS = 5
SAVES = 200
READS = 500
KIB, MIB = 1 << 10, 1 << 20
SAVE_LIMIT = 1.3
READ_LIMIT_US = 100
SETS = {
    "1,000 x 10 KiB": (1000, 10 * KIB, 0.5),
    "20 x 50 MiB": (20, 50 * MIB, 0.8),
}


def run() -> list[Row]:
    with TemporaryDirectory(dir=os.environ["DATA_DIR"]) as name:
        folder = Path(name)
        rows = [_save_row(folder / "save"), *_read_rows(folder / "read")]
        with rclone.s3_server(folder / "s3") as server:
            rows += [_transfer_row(folder, server, *given) for given in SETS.items()]
    return rows


def _timed(act: Callable[[], object]) -> float:
    start = time.perf_counter()
    act()
    return time.perf_counter() - start


def _places(folder: Path, remote: str) -> Any:
    from upload.queued_storage.backends import QueuedStorage

    return QueuedStorage(
        "django.core.files.storage.FileSystemStorage",
        remote,
        {"location": str(folder / "here"), "base_url": "/here/"},
        {"location": str(folder / "there"), "base_url": "/there/"},
    )


def _save_row(folder: Path) -> Row:
    """Compare with Django's ``save`` and one row of the same table."""
    from django.core.files.base import ContentFile
    from django.core.files.storage import FileSystemStorage

    from upload.queued_storage.filing import _values
    from upload.queued_storage.models import QueuedFile

    plain = FileSystemStorage(str(folder / "plain"))
    queued = _places(folder, "tests.upload.queued.faulty.Untouchable")
    content = os.urandom(10 * KIB)
    seconds: dict[str, list[float]] = {"plain": [], "row": [], "queued": []}

    def insert(name: str) -> None:
        QueuedFile(**_values(queued, name, None)).save(force_insert=True)

    for _turn in range(SAVES):
        name = uuid.uuid4().hex
        for kind, act in (
            ("plain", lambda n=name: plain.save(n, ContentFile(content))),
            ("row", lambda n=name: insert(f"row-{n}")),
            ("queued", lambda n=name: queued.save(n, ContentFile(content))),
        ):
            seconds[kind].append(_timed(act))
    saved, row, ours = (median(seconds[k]) * 1e6 for k in ("plain", "row", "queued"))
    ratio = (ours - row) / saved
    return (
        "save 10 KiB, less one row, by FileSystemStorage.save",
        f"{ratio:.2f} ({ours:.0f} µs; {saved:.0f} µs and {row:.0f} µs a row)",
        f"at most {SAVE_LIMIT}",
        ratio <= SAVE_LIMIT,
    )


def _read_rows(folder: Path) -> list[Row]:
    """Compare each call on a transferred file; the remote refuses to be asked."""
    from django.core.files.base import ContentFile

    from upload.queued_storage.models import QueuedFile

    storage = _places(folder, "tests.upload.queued.faulty.Untouchable")
    name = storage.save("a.txt", ContentFile(b"bytes"))
    QueuedFile.objects.filter(name="a.txt").update(state="both", next_run_at=None)
    deeds: dict[str, Callable[[Any], object]] = {
        "open": lambda side: side.open(name).close(),
        "exists": lambda side: side.exists(name),
        "url": lambda side: side.url(name),
        "size": lambda side: side.size(name),
    }
    return [_read_row(storage, deed, act) for deed, act in deeds.items()]


def _read_row(storage: Any, deed: str, act: Callable[[Any], object]) -> Row:
    act(storage)  # warms the cache
    added = []
    for _turn in range(READS):
        plain = _timed(lambda: act(storage.local))
        added.append((_timed(lambda: act(storage)) - plain) * 1e6)
    cost = median(added)
    return (
        f"{deed} of a transferred file, cache warm, adds",
        f"{cost:.0f} µs",
        f"at most {READ_LIMIT_US} µs and no call to the remote",
        cost <= READ_LIMIT_US,
    )


def _transfer_row(
    folder: Path, server: rclone.Server, title: str, given: tuple[int, int, float]
) -> Row:
    count, size, limit = given
    ours, theirs = [], []
    for turn in range(TURNS):
        with TemporaryDirectory(dir=folder) as place:
            queued = _filled(Path(place), server, count, size)
            # Each with nothing left to write back, such as the files just saved.
            ours.append(seconds(lambda q=queued: _drain(q)))
            theirs.append(seconds(lambda p=place, t=turn: _rclone(p, server, t)))
        for bucket in server.root.iterdir():
            shutil.rmtree(bucket)
    ratio = median(theirs) / median(ours)
    return (
        f"transfer {title} to S3, as fast as rclone copy",
        f"{ratio:.2f} times ({median(ours):.1f} s; {median(theirs):.1f} s)",
        f"at least {limit}",
        ratio >= limit,
    )


def _filled(place: Path, server: rclone.Server, count: int, size: int) -> Any:
    from django.core.files.base import ContentFile

    from tests.upload.queued.made import to_remote
    from tests.upload.queued.remotes import s3_entry

    bucket = uuid.uuid4().hex
    (server.root / bucket).mkdir()
    storage = to_remote(place, s3_entry(server.port, bucket))
    for number in range(count):
        storage.save(f"{number}.bin", ContentFile(os.urandom(size)))
    return storage


def _drain(storage: Any) -> None:
    """Transfer everything, as one worker does."""
    from upload.queued_storage.models import QueuedFile
    from upload.queued_storage.tasks import drain

    mine = QueuedFile.objects.filter(storage=storage.storage_key)
    while mine.exclude(state="both").exists():
        drain(storage.storage_key)


def _rclone(place: str, server: rclone.Server, turn: int) -> None:
    bucket = f"peer-{turn}-{uuid.uuid4().hex}"
    (server.root / bucket).mkdir()
    remote = (
        f":s3,provider=Other,access_key_id={rclone.KEY},"
        f"secret_access_key={rclone.SECRET},"
        f"endpoint='http://127.0.0.1:{server.port}':{bucket}"
    )
    program = Path(sys.executable).parent / "rclone"
    command = [program, "copy", "--config", "/dev/null", f"{place}/here", remote]
    subprocess.run(command, check=True, capture_output=True)
