"""Wait for a program that was started to answer, by asking it."""

import subprocess
import time
from collections.abc import Callable
from typing import Any

LONGEST_SECONDS = 30
PAUSE_SECONDS = 0.02


def wait_until(ready: Callable[[], bool], process: "subprocess.Popen[Any]") -> None:
    """Return when ``ready``; raise where the process ends or takes too long."""
    until = time.monotonic() + LONGEST_SECONDS
    while not ready():
        if process.poll() is not None or time.monotonic() > until:
            raise RuntimeError(f"{process.args} did not get ready.")
        time.sleep(PAUSE_SECONDS)
