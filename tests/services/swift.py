"""A real OpenStack Swift: proxy, account, container and object server, and memcached.

One replica in one folder; TempAuth knows one person. Each listens on a free port.
"""

import getpass
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.services.system import missing, require_program

USER, KEY = "test:ada", "word-of-the-test"
KINDS = ("account", "container", "object")
READY_SECONDS = 60
SERVER = """\
[DEFAULT]
bind_ip = 127.0.0.1
bind_port = {port}
workers = 0
user = {user}
swift_dir = {folder}
devices = {folder}/devices
mount_check = false
fallocate_reserve = 0
disable_fallocate = true
[pipeline:main]
pipeline = {kind}-server
[app:{kind}-server]
use = egg:swift#{kind}
"""
PROXY = """\
[DEFAULT]
bind_ip = 127.0.0.1
bind_port = {port}
workers = 0
user = {user}
swift_dir = {folder}
[pipeline:main]
pipeline = catch_errors cache tempauth slo proxy-server
[app:proxy-server]
use = egg:swift#proxy
account_autocreate = true
[filter:catch_errors]
use = egg:swift#catch_errors
[filter:cache]
use = egg:swift#memcache
memcache_servers = 127.0.0.1:{cache}
[filter:tempauth]
use = egg:swift#tempauth
user_test_ada = {key} .admin
[filter:slo]
use = egg:swift#slo
"""


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
    if not (_bin() / "swift-proxy-server").exists():
        missing("swift is not installed. Run make dev.")
    ports = _free_ports(len(KINDS) + 2)
    proxy, cache = ports[-2:]
    _configure(folder, ports)
    commands = [
        [memcached, "-l", "127.0.0.1", "-p", str(cache), "-u", getpass.getuser()],
        *(
            [str(_bin() / f"swift-{kind}-server"), str(folder / f"{kind}.conf")]
            for kind in (*KINDS, "proxy")
        ),
    ]
    processes = [_start(command, folder) for command in commands]
    try:
        for port in ports:
            _wait_for(port)
        yield Server(proxy)
    finally:
        for process in processes:
            process.terminate()
        for process in processes:
            process.wait()


def _bin() -> Path:
    return Path(sys.executable).parent


def _start(command: list[str], folder: Path) -> "subprocess.Popen[bytes]":
    with (folder / "output").open("ab") as output:
        return subprocess.Popen(
            command,
            stdout=output,
            stderr=output,
            env=os.environ | {"PYTHONWARNINGS": "ignore"},
        )


def _configure(folder: Path, ports: list[int]) -> None:
    (folder / "devices" / "one").mkdir(parents=True)
    (folder / "swift.conf").write_text(
        "[swift-hash]\nswift_hash_path_suffix = test\nswift_hash_path_prefix = test\n"
    )
    facts = {"user": getpass.getuser(), "folder": folder, "key": KEY}
    for kind, port in zip(KINDS, ports, strict=False):
        config = SERVER.format(kind=kind, port=port, **facts)
        (folder / f"{kind}.conf").write_text(config)
        _make_ring(folder / f"{kind}.builder", port)
    proxy = PROXY.format(port=ports[-2], cache=ports[-1], **facts)
    (folder / "proxy.conf").write_text(proxy)


def _make_ring(path: Path, port: int) -> None:
    builder = str(_bin() / "swift-ring-builder")
    for words in (
        ("create", "4", "1", "0"),
        ("add", f"r1z1-127.0.0.1:{port}/one", "1"),
        ("rebalance",),
    ):
        command = [builder, str(path), *words]
        subprocess.run(command, check=True, capture_output=True)


def _free_ports(count: int) -> list[int]:
    """Return ports that were free just now; rings must name them beforehand."""
    streams = [socket.create_server(("127.0.0.1", 0)) for _number in range(count)]
    ports = [stream.getsockname()[1] for stream in streams]
    for stream in streams:
        stream.close()
    return ports


def _wait_for(port: int) -> None:
    deadline = time.monotonic() + READY_SECONDS
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
        except OSError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.05)
        else:
            return
