"""The web server, the same under systemd and under ``manage.py run_portal``.

Threads, because uploads and downloads wait for slow networks; few processes, because
SQLite has one writer at a time. On PostgreSQL set WEB_CONCURRENCY to the cores.
"""

import os
from typing import Any

from upload import lifeline

wsgi_app = "portal.wsgi"
bind = "127.0.0.1:8000"
workers = int(os.environ.get("WEB_CONCURRENCY", "2"))
worker_class = "gthread"
threads = 8
timeout = 60  # of a worker that shows no life, not of a request
graceful_timeout = 8
keepalive = 5
preload_app = True
control_socket_disable = True


def on_starting(server: Any) -> None:
    lifeline.end_with_parent()
