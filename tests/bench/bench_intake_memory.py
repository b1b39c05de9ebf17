"""How much memory the web server grows by while it takes large files.

Measured is the resident memory of the worker process, ten times a second, against what
it held before the first byte. It has taken a small file by each door by then.
"""

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

from tests.bench.senders import BLOCK, Sender, Server, forget, new_session, portal
from tests.services.web import NAME
from tests.upload.tus_requests import PIECE, metadata

MIB = 1 << 20
LARGE, SEVERAL, COUNT = 5 << 30, 250 * MIB, 20
MOST_MIB = 64
PERIOD_SECONDS = 0.1

type Row = tuple[str, str, str, bool]


def run() -> list[Row]:
    rows = []
    for what, deed in (
        ("one POST of 5 GiB", lambda server: _post(server, LARGE)),
        ("one upload by tus of 5 GiB", lambda server: _tus(server, LARGE)),
        ("20 POSTs of 250 MiB at once", lambda server: _at_once(server, _post)),
        ("20 uploads by tus of 250 MiB at once", lambda server: _at_once(server, _tus)),
    ):
        with portal() as server:  # a new one, for memory is not given back
            _post(server, MIB)
            _tus(server, MIB)
            grown = _growth(_worker_of(server), lambda: deed(server))  # noqa: B023
        rows.append(
            (
                f"memory of the server during {what}",
                f"{grown:+.0f} MiB",
                f"at most {MOST_MIB} MiB",
                grown <= MOST_MIB,
            )
        )
    return rows


def _worker_of(server: Server) -> int:
    children = Path(f"/proc/{server.process}/task/{server.process}/children")
    return int(children.read_text().split()[0])


def _growth(process: int, deed: Callable[[], object]) -> float:
    """Return by how many MiB the process grew at most while the deed was done."""
    before = _resident_mib(process)
    seen, over = [before], threading.Event()

    def watch() -> None:
        while not over.wait(PERIOD_SECONDS):
            seen.append(_resident_mib(process))

    with ThreadPoolExecutor(1) as watcher:
        watching = watcher.submit(watch)
        try:
            deed()
        finally:
            over.set()
        watching.result()
    return max(seen) - before


def _resident_mib(process: int) -> float:
    for line in Path(f"/proc/{process}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) / 1024
    raise LookupError(f"Process {process} tells no VmRSS.")


def _at_once(server: Server, send: Callable[[Server, int], object]) -> None:
    with ThreadPoolExecutor(COUNT) as threads:
        list(threads.map(lambda _number: send(server, SEVERAL), range(COUNT)))


def _post(server: Server, size_bytes: int) -> None:
    with _session() as session:
        sender = Sender(server, session)
        sender.send(size_bytes)
        sender.close()


def _tus(server: Server, size_bytes: int) -> None:
    """Create an upload and send it in one piece, as tus clients do without a limit."""
    with _session() as session:
        told = {"Host": NAME, "Tus-Resumable": "1.0.0"}
        told["Authorization"] = f"Bearer {session.token}"
        length = {"Upload-Length": str(size_bytes), "Content-Length": "0"}
        length["Upload-Metadata"] = metadata(filename="a.rec")
        connection = HTTPConnection("127.0.0.1", server.port, timeout=600)
        path = f"/upload-session/{session.uuid}/tus/"
        place = _asked(connection, "POST", path, None, told | length)["Location"]
        piece = {"Upload-Offset": "0", "Content-Type": PIECE}
        piece["Content-Length"] = str(size_bytes)
        _asked(connection, "PATCH", place, _blocks(size_bytes), told | piece)
        connection.close()


def _asked(
    connection: HTTPConnection, method: str, path: str, body: Any, told: dict[str, str]
) -> Any:
    connection.request(method, path, body, told)
    response = connection.getresponse()
    answer = response.read()
    if response.status not in {201, 204}:
        raise OSError(f"{method}: {response.status} {answer[:500]!r}")
    return response.headers


def _blocks(size_bytes: int) -> Iterator[bytes]:
    for at in range(0, size_bytes, len(BLOCK)):
        yield BLOCK[: min(len(BLOCK), size_bytes - at)]


@contextmanager
def _session() -> Iterator[Any]:
    session = new_session()
    try:
        yield session
    finally:
        forget(session)
