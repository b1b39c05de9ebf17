"""Which worker this process is, and whether it is to stop."""

import os
import socket

from upload import conf


def owner() -> str:
    """Return who this worker is: host, process, for people to read."""
    return f"{socket.gethostname()}:{os.getpid()}"


def stop_requested() -> bool:
    """Return whether the worker's supervisor has asked for an end."""
    path = conf.worker_stop_file()
    return path is not None and path.exists()
