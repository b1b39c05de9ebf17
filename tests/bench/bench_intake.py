"""Files posted to the plain endpoint: one large, many small, and many into one session.

The large one is measured against a WSGI application under the same server that only
writes the body, and neither hashes nor syncs. The limit of the small ones is four times
what Secure-Record-Transfer, the peer, was measured to take on this kind of machine.
"""

import shutil
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from tests.bench.senders import Sender, Server, forget, new_session, portal, sink
from tests.bench.sessions import RUNS, medians, seconds

LARGE = 100 << 20
SMALL, SMALL_COUNT = 100 << 10, 200
PEER_FILES_A_SECOND = 56
LEAST_OF_SINK, LEAST_OF_PEER, MOST_SLOWER = 0.6, 4, 1.2
MANY, TENTH = 1000, 100

type Row = tuple[str, str, str, bool]


def run() -> list[Row]:
    with portal() as server:
        return [_large(server), _small(server), _many(server)]


def _large(server: Server) -> Row:
    folder = Path(tempfile.mkdtemp(prefix="muniment-bench-"))
    try:
        with sink(folder) as other:
            theirs, ours = medians(lambda: _to(other), lambda: _to(server))
    finally:
        shutil.rmtree(folder)
    return (
        "one POST of 100 MiB: times as fast as a sink that only writes",
        f"{theirs / ours:.2f} ({100 / ours:.0f} of {100 / theirs:.0f} MiB/s)",
        f"at least {LEAST_OF_SINK}",
        theirs / ours >= LEAST_OF_SINK,
    )


def _to(server: Server) -> Callable[[], object]:
    sender = Sender(server, new_session())
    return lambda: sender.send(LARGE)


def _small(server: Server) -> Row:
    limit = LEAST_OF_PEER * PEER_FILES_A_SECOND
    rates = []
    for _run in range(RUNS):
        session = new_session()
        sender = Sender(server, session)
        taken = seconds(lambda: [sender.send(SMALL) for _n in range(SMALL_COUNT)])  # noqa: B023
        rates.append(SMALL_COUNT / taken)
        sender.close()
        forget(session)
    rate = statistics.median(rates)
    return (
        "200 POSTs of 100 KiB",
        f"{rate:.0f} files/s",
        f"at least {limit} (4 x the peer's {PEER_FILES_A_SECOND})",
        rate >= limit,
    )


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
        sender.send(SMALL)
    sender.close()
    forget(session)
    return (marks[3] - marks[2]) / (marks[1] - marks[0])
