"""All servers of a Swift in one process: ``python -m tests.services.swift_servers``.

Takes a folder and memcached's port; prints the port of the proxy once all listen. They
speak with each other over HTTP as they would apart, but Python starts only once.
"""

import getpass
import os
import sys
import time
import warnings
from pathlib import Path
from typing import Any

USER, KEY = "test:ada", "word-of-the-test"
KINDS = ("account", "container", "object")
DEFAULTS = """\
[DEFAULT]
user = {user}
swift_dir = {folder}
devices = {folder}/devices
mount_check = false
fallocate_reserve = 0
disable_fallocate = true
"""
SERVER = """\
[pipeline:main]
pipeline = {kind}-server
[app:{kind}-server]
use = egg:swift#{kind}
"""
PROXY = """\
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


def _configure(folder: Path, cache_port: str) -> None:
    (folder / "devices" / "one").mkdir(parents=True)
    (folder / "swift.conf").write_text(
        "[swift-hash]\nswift_hash_path_suffix = test\nswift_hash_path_prefix = test\n"
    )
    facts = {"user": getpass.getuser(), "folder": folder, "key": KEY}
    for kind in (*KINDS, "proxy"):
        words = DEFAULTS + (PROXY if kind == "proxy" else SERVER)
        config = words.format(kind=kind, cache=cache_port, **facts)
        (folder / f"{kind}.conf").write_text(config)


def _make_ring(path: Path, port: int) -> None:
    """Write a ring of one replica on one device."""
    from swift.common.ring.builder import RingBuilder

    address = {"ip": "127.0.0.1", "port": port}
    there = {f"replication_{name}": value for name, value in address.items()}
    device = {"region": 1, "zone": 1, "device": "one", "weight": 1.0, "meta": ""}
    builder = RingBuilder(4, 1, 0)
    builder.add_dev(device | address | there)
    builder.rebalance(seed="test")
    builder.get_ring().save(str(path))


def _serve(listener: Any, folder: Path, kind: str) -> Any:
    import eventlet
    from eventlet import wsgi
    from swift.common.http_protocol import SwiftHttpProtocol
    from swift.common.wsgi import loadapp

    app = loadapp(str(folder / f"{kind}.conf"), global_conf={"log_name": kind})
    return eventlet.spawn(
        wsgi.server,
        listener,
        app,
        log_output=False,
        protocol=SwiftHttpProtocol,
        capitalize_response_headers=False,
    )


def main(folder: Path, cache_port: str) -> None:
    os.environ["TZ"] = "UTC+0"
    time.tzset()
    _configure(folder, cache_port)
    import eventlet
    from swift.common import utils

    eventlet.patcher.monkey_patch(socket=True, select=True, thread=True, time=True)
    utils.SWIFT_CONF_FILE = str(folder / "swift.conf")
    utils.validate_hash_conf()
    listeners = {
        kind: eventlet.listen(("127.0.0.1", 0), backlog=50)
        for kind in (*KINDS, "proxy")
    }
    for kind in KINDS:
        _make_ring(folder / f"{kind}.ring.gz", listeners[kind].getsockname()[1])
    serving = [_serve(listener, folder, kind) for kind, listener in listeners.items()]
    sys.stdout.write(f"{listeners['proxy'].getsockname()[1]}\n")
    sys.stdout.flush()
    for thread in serving:
        thread.wait()


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    main(Path(sys.argv[1]), sys.argv[2])
