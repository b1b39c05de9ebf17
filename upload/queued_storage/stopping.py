"""Hear that the worker is to stop: by SIGTERM, or by the file of its supervisor."""

import os
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

from upload import worker


@contextmanager
def stoppable() -> Iterator[Callable[[], bool]]:
    """Yield a function that tells whether to stop; SIGTERM acts when the block ends."""
    asked = threading.Event()

    def note(number: int, frame: FrameType | None) -> None:
        asked.set()

    in_main = threading.current_thread() is threading.main_thread()
    before = signal.signal(signal.SIGTERM, note) if in_main else None
    try:
        yield lambda: asked.is_set() or worker.stop_requested()
    finally:
        if in_main:
            signal.signal(signal.SIGTERM, before or signal.SIG_DFL)
            if asked.is_set():
                os.kill(os.getpid(), signal.SIGTERM)
