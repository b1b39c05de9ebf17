"""Files posted to the plain endpoint: one large, many small, and many into one session.

The large one is measured against a WSGI application under the same server that only
writes the body, and neither hashes nor syncs. The limit of the small ones is four times
what Secure-Record-Transfer, the peer, was measured to take on this kind of machine.
"""

import runpy
import statistics
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from django.conf import settings

from tests.bench.senders import Sender, Server, forget, new_session, portal, sink
from tests.bench.sessions import RUNS, medians, seconds
from upload.models import UploadSession

LARGE = 100 << 20
SMALL, SMALL_COUNT = 100 << 10, 200
AT_ONCE = 6  # as a browser sends
PEER_FILES_A_SECOND = 56
LEAST_OF_SINK, LEAST_OF_PEER, MOST_SLOWER = 0.6, 4, 1.2
MANY, TENTH = 1000, 100

type Row = tuple[str, str, str, bool]


def run() -> list[Row]:
    """Delete nothing (some 2 GB) before the end.

    For minutes after a deletion ext4 passes over the freed inodes one by one at each
    new file of the block group (``recently_deleted``): the disk would be measured.
    """
    small = _small()
    with portal() as server:
        rows = [small, _many(server), _large(server)]
    for session in UploadSession.objects.filter(total_files__gt=0):
        forget(session)
    return rows


def _large(server: Server) -> Row:
    with (
        tempfile.TemporaryDirectory(prefix="muniment-bench-") as folder,
        sink(Path(folder)) as other,
    ):
        theirs, ours = medians(lambda: _to(other), lambda: _to(server))
    return (
        "one POST of 100 MiB: times as fast as a sink that only writes",
        f"{theirs / ours:.2f} ({100 / ours:.0f} of {100 / theirs:.0f} MiB/s)",
        f"at least {LEAST_OF_SINK}",
        theirs / ours >= LEAST_OF_SINK,
    )


def _to(server: Server) -> Callable[[], object]:
    sender = Sender(server, new_session())
    return lambda: sender.send(LARGE)


def _small() -> Row:
    limit = LEAST_OF_PEER * PEER_FILES_A_SECOND
    workers = _workers()
    with portal(WEB_CONCURRENCY=workers) as server:
        rate = statistics.median(_rate(server) for _run in range(RUNS))
    return (
        f"200 POSTs of 100 KiB by {AT_ONCE} connections, {workers} workers",
        f"{rate:.0f} files/s",
        f"at least {limit} (4 x the peer's {PEER_FILES_A_SECOND})",
        rate >= limit,
    )


def _workers() -> str:
    """Return how many worker processes the portal starts here where nothing is set."""
    config = settings.BASE_DIR / "deploy" / "gunicorn.conf.py"
    return str(runpy.run_path(str(config))["workers"])


def _rate(server: Server) -> float:
    """Return how many files a second one session takes from a browser's connections."""
    session = new_session()
    senders = [Sender(server, session) for _n in range(AT_ONCE)]
    queued = iter(range(SMALL_COUNT))  # one iterator of C, safe to share

    def send(sender: Sender) -> None:
        for _number in queued:
            sender.send(SMALL)

    def send_all() -> None:
        with ThreadPoolExecutor(AT_ONCE) as threads:
            list(threads.map(send, senders))

    taken = seconds(send_all)
    for sender in senders:
        sender.close()
    return SMALL_COUNT / taken


def _many(server: Server) -> Row:
    ratio = statistics.median(_last_to_first(server) for _run in range(RUNS))
    return (
        "1,000 files into one session: last tenth to first",
        f"{ratio:.2f} times the time",
        f"at most {MOST_SLOWER}",
        ratio <= MOST_SLOWER,
    )


def _last_to_first(server: Server) -> float:
    session = new_session()
    sender, marks = Sender(server, session), []
    sender.send(SMALL)  # the connection's first, which is no file's fault
    for number in range(MANY + 1):
        if number in {0, TENTH, MANY - TENTH, MANY}:
            marks.append(time.perf_counter())
        if number < MANY:
            sender.send(SMALL)
    sender.close()
    return (marks[3] - marks[2]) / (marks[1] - marks[0])
