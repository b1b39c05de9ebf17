"""Connections that are kept for the next call, by many threads, and closed in the end.

One call uses one connection. What the server merely refused leaves it usable; after
anything else it is ended.
"""

import os
import threading
import time
import weakref
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

MOST_IDLE = 4
IDLE_SECONDS = 30.0
ANSWERED = (FileNotFoundError, FileExistsError, PermissionError, IsADirectoryError)


class Lines:
    """``dial`` opens a connection, ``hang_up`` ends it whatever state it is in."""

    def __init__(
        self,
        dial: Callable[[], Any],
        hang_up: Callable[[Any], None],
        is_alive: Callable[[Any], bool],
    ) -> None:
        self._dial, self._hang_up, self._is_alive = dial, hang_up, is_alive
        self._idle: list[tuple[float, Any]] = []
        self._lock = threading.Lock()
        self._owner = os.getpid()
        weakref.finalize(self, _end_all, self._idle, hang_up)

    @contextmanager
    def line(self) -> Iterator[Any]:
        connection = self._taken() or self._dial()
        try:
            yield connection
        except ANSWERED:
            self._give_back(connection)
            raise
        except BaseException:
            self._hang_up(connection)
            raise
        self._give_back(connection)

    def _taken(self) -> Any:
        while True:
            with self._lock:
                if self._owner != os.getpid():
                    # A forked child: the connections are its parent's.
                    self._idle.clear()
                    self._owner = os.getpid()
                if not self._idle:
                    return None
                since, connection = self._idle.pop()
            if time.monotonic() - since < IDLE_SECONDS and self._is_alive(connection):
                return connection
            self._hang_up(connection)

    def _give_back(self, connection: Any) -> None:
        with self._lock:
            if len(self._idle) < MOST_IDLE:
                self._idle.append((time.monotonic(), connection))
                return
        self._hang_up(connection)

    def close(self) -> None:
        """End the connections that nobody uses; the next call opens them again."""
        with self._lock:
            idle, self._idle[:] = list(self._idle), []
        _end_all(idle, self._hang_up)


def _end_all(idle: list[tuple[float, Any]], hang_up: Callable[[Any], None]) -> None:
    while idle:
        hang_up(idle.pop()[1])
