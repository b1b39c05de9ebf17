"""A real OpenStack Swift: proxy, account, container and object server, and memcached.

One replica in one folder; TempAuth knows one person.
"""

import getpass
import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from tests.codebase import ROOT
from tests.services.swift_servers import KEY, USER
from tests.services.system import missing, require_program


@dataclass(frozen=True, slots=True)
class Server:
    port: int

    @property
    def auth(self) -> dict[str, str]:
        url = f"http://127.0.0.1:{self.port}/auth/v1.0"
        return {"authurl": url, "user": USER, "key": KEY}


@contextmanager
def swift_server(folder: Path) -> Iterator[Server]:
    memcached = require_program("memcached")
    if find_spec("swift") is None:
        missing("swift is not installed. Run make dev.")
    port = _free_port()
    cache = [memcached, "-l", "127.0.0.1", "-p", port, "-u", getpass.getuser()]
    command = [sys.executable, "-m", "tests.services.swift_servers", folder, port]
    with (
        (folder / "output").open("wb") as output,
        _running(cache, stdout=output, stderr=output),
        _running(command, stdout=subprocess.PIPE, stderr=output) as swift,
    ):
        told = swift.stdout.readline() if swift.stdout else b""
        if not told:
            raise RuntimeError((folder / "output").read_text())
        yield Server(int(told))


@contextmanager
def _running(
    command: list[str | Path], **streams: object
) -> Iterator["subprocess.Popen[bytes]"]:
    environ = os.environ | {"PYTHONWARNINGS": "ignore"}
    with subprocess.Popen(command, cwd=ROOT, env=environ, **streams) as process:  # type: ignore[call-overload]
        try:
            yield process
        finally:
            process.kill()


def _free_port() -> str:
    """Return a port that was free just now; memcached does not tell which it took."""
    with socket.create_server(("127.0.0.1", 0)) as stream:
        return str(stream.getsockname()[1])
