"""A real clamd with two signatures: of the EICAR test file and of a word of ours."""

import hashlib
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.services.system import require_program
from tests.services.waiting import wait_until

# Harmless by agreement; every scanner reports it. In halves: this file is clean.
EICAR = rb"X5O!P%@AP[4\PZX54(P^)7CC)7}$EICAR" + rb"-STANDARD-ANTIVIRUS-TEST-FILE!$H+H*"
MAX_MB = 2
CONFIG = """\
DatabaseDirectory {folder}/db
TCPSocket {port}
TCPAddr 127.0.0.1
LocalSocket {folder}/clamd.sock
TemporaryDirectory {folder}
Foreground yes
StreamMaxLength {max_mb}M
MaxFileSize 1M
MaxScanSize {max_mb}M
AlertExceedsMax {alert}
"""


@dataclass(slots=True)
class Clamd:
    """``stop`` ends it, as a crash does; the addresses stay."""

    process: "subprocess.Popen[bytes]"
    port: int
    socket: Path

    def stop(self) -> None:
        self.process.kill()
        self.process.wait()


@contextmanager
def clamd(folder: Path, *, alert_exceeds_max: bool = True) -> Iterator[Clamd]:
    program = require_program("clamd", "/usr/sbin/clamd")
    (folder / "db").mkdir(parents=True)
    (folder / "db/test.hdb").write_text(
        f"{hashlib.md5(EICAR, usedforsecurity=False).hexdigest()}:68:Eicar-Test\n"
    )
    (folder / "db/test.ndb").write_text(f"Eicar-Body:0:*:{EICAR[:60].hex()}\n")
    port = free_port()
    alert = "yes" if alert_exceeds_max else "no"
    values = {"folder": folder, "port": port, "max_mb": MAX_MB, "alert": alert}
    config = folder / "clamd.conf"
    config.write_text(CONFIG.format(**values))
    process = subprocess.Popen(
        [program, "-c", str(config)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    running = Clamd(process, port, folder / "clamd.sock")
    try:
        wait_until(lambda: answers(port), process)
        yield running
    finally:
        running.stop()


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return int(probe.getsockname()[1])


def answers(port: int) -> bool:
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=5) as stream:
            stream.sendall(b"zPING\0")
            return stream.recv(5) == b"PONG\0"
    except OSError:
        return False
