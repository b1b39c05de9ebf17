"""The web server, the same under systemd and under ``manage.py run_portal``.

Threads, because uploads and downloads wait for slow networks; two processes a core,
because the threads of one hold each other up, but not more than eight, of which each
takes memory and connections to the database. WEB_CONCURRENCY sets another number.
"""

import os
import socket
import struct
from typing import Any

from upload import heap, lifeline

wsgi_app = "portal.wsgi"
bind = "127.0.0.1:8000"
cores = getattr(os, "process_cpu_count", os.cpu_count)() or 1
workers = int(os.environ.get("WEB_CONCURRENCY", min(2 * cores, 8)))
worker_class = "gthread"
threads = 8
timeout = 60  # of a worker that shows no life, not of a request
graceful_timeout = 8
# A sender that falls silent in the middle of a body is dropped; by tus it may go on.
body_timeout = int(os.environ.get("BODY_TIMEOUT_SECONDS", "60"))
keepalive = 5
preload_app = True
control_socket_disable = True


def on_starting(server: Any) -> None:
    lifeline.end_with_parent()


def when_ready(server: Any) -> None:
    """Called in the parent, which has loaded the application, before it forks."""
    heap.settle()


def pre_request(worker: Any, request: Any) -> None:
    """Let no read of the body wait longer; sending has no such limit."""
    pause = struct.pack("ll", body_timeout, 0)
    connection = request.unreader.sock
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, pause)
