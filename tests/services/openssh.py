"""OpenSSH's own SFTP server, which refuses to replace and can fsync.

Every connection gets an ``sshd -i`` of its own, so that no port has to be guessed. The
person who runs the tests signs in with a key made here.
"""

import getpass
import os
import socket
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from tests.services.system import require_program

CONFIG = """\
HostKey {folder}/host_key
AuthorizedKeysFile {folder}/user_key.pub
PidFile none
StrictModes no
UsePAM no
PasswordAuthentication no
PermitRootLogin prohibit-password
Subsystem sftp internal-sftp
"""


@dataclass(frozen=True, slots=True)
class Server:
    root: Path
    port: int
    host_key: str
    user: str
    key_file: Path


@contextmanager
def sftp_server(folder: Path) -> Iterator[Server]:
    program = require_program("sshd", "/usr/sbin/sshd")
    root = folder / "root"
    root.mkdir(parents=True)
    for name in ("host_key", "user_key"):
        _make_key(folder / name)
    config = folder / "sshd_config"
    config.write_text(CONFIG.format(folder=folder))
    if os.geteuid() == 0:
        Path("/run/sshd").mkdir(exist_ok=True)  # sshd asks for it, systemd makes it
    with socket.create_server(("127.0.0.1", 0)) as listener:
        command = [program, "-i", "-e", "-f", str(config)]
        threading.Thread(target=_serve, args=(listener, command), daemon=True).start()
        yield Server(
            root,
            listener.getsockname()[1],
            (folder / "host_key.pub").read_text().strip(),
            getpass.getuser(),
            folder / "user_key",
        )


def _make_key(path: Path) -> None:
    keygen = require_program("ssh-keygen")
    command = [keygen, "-q", "-t", "ed25519", "-N", "", "-f", str(path)]
    subprocess.run(command, check=True)


def _serve(listener: socket.socket, command: list[str]) -> None:
    with suppress(OSError):  # the listener was closed
        while True:
            stream, _address = listener.accept()
            arguments = (stream, command)
            threading.Thread(target=_serve_one, args=arguments, daemon=True).start()


def _serve_one(stream: socket.socket, command: list[str]) -> None:
    with stream:
        subprocess.run(command, stdin=stream, stdout=stream, stderr=subprocess.DEVNULL)
