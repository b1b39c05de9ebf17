"""A file of 1 GiB in pieces of 8 MiB by tus-js-client, against @tus/server.

Both servers write to the same file system and are asked by the same client. The peer,
with its file store, syncs nothing and keeps no digest; here each piece is durable and
its offset committed before it is acknowledged.
"""

import shutil
import socket
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.bench.senders import BLOCK, Server, forget, new_session, portal
from tests.bench.sessions import medians, write
from tests.codebase import ROOT
from tests.services.clamav import free_port
from tests.services.waiting import wait_until
from upload.models import UploadSession

SIZE, CHUNK = 1 << 30, 8 << 20
PROGRAMS = ROOT / ".boot" / "tus"
LEAST = 1.0

type Row = tuple[str, str, str, bool]


def run() -> list[Row]:
    folder = Path(tempfile.mkdtemp(prefix="muniment-bench-"))
    try:
        with portal() as ours, _peer(folder) as address:
            write(folder / "a.rec", BLOCK, SIZE)
            turns = _Portal(ours, folder)
            theirs, taken = medians(lambda: _to_peer(folder, address), turns.prepare)
            turns.clear()
    finally:
        shutil.rmtree(folder)
    return [
        (
            "tus, 1 GiB in pieces of 8 MiB: times as fast as @tus/server",
            f"{theirs / taken:.2f} ({1024 / taken:.0f} of {1024 / theirs:.0f} MiB/s)",
            f"at least {LEAST}",
            theirs / taken >= LEAST,
        )
    ]


@contextmanager
def _peer(folder: Path) -> Iterator[str]:
    """Serve @tus/server on ``<folder>/kept``; yield the address of its uploads."""
    kept, port = folder / "kept", free_port()
    kept.mkdir()
    command = ["node", str(PROGRAMS / "serve.mjs"), str(port), str(kept)]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    try:
        wait_until(lambda: _listens(port), process)
        yield f"http://127.0.0.1:{port}/files"
    finally:
        process.terminate()
        process.wait()


def _listens(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), 1).close()
    except OSError:
        return False
    return True


def _to_peer(folder: Path, address: str) -> Callable[[], object]:
    for path in (folder / "kept").iterdir():
        path.unlink()
    return lambda: _send(address, "-", folder)


class _Portal:
    """Takes turns; each begins without the bytes of the one before."""

    def __init__(self, server: Server, folder: Path) -> None:
        self.server, self.folder = server, folder
        self.session: UploadSession | None = None

    def prepare(self) -> Callable[[], object]:
        self.clear()
        self.session = session = new_session()
        url = self.server.tus_url(session)
        return lambda: _send(url, session.token, self.folder)

    def clear(self) -> None:
        if self.session is not None:
            forget(self.session)


def _send(address: str, token: str, folder: Path) -> None:
    command = ["node", str(PROGRAMS / "send.js"), address, token]
    command += [str(folder / "a.rec"), str(CHUNK)]
    subprocess.run(command, check=True)
