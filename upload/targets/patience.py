"""How long an adapter waits for a server that fails, before the job's backoff does.

Waits double with jitter, so that many workers do not come back at once. Five attempts
of a job, each with one whole patience, are ten minutes.
"""

import time
from collections.abc import Callable
from secrets import SystemRandom

from upload.copy_engine import Beat

LIMIT_SECONDS = 120.0
FIRST_SECONDS = 0.5
LONGEST_SECONDS = 20.0
# A heartbeat notices in time that the job was cancelled.
SLICE_SECONDS = 1.0


class Patience:
    """Counts failures in a row; a success starts anew."""

    def __init__(
        self,
        limit_seconds: float = LIMIT_SECONDS,
        pause: Callable[[float], None] = time.sleep,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._limit_seconds = limit_seconds
        self._pause = pause
        self._clock = clock
        self._random = SystemRandom()
        self.succeeded()

    def succeeded(self) -> None:
        self._failures = 0
        self._failing_since: float | None = None

    def wait(self, error: Exception, beat: Beat) -> None:
        """Wait before the next try; raise ``error`` where that would be too long."""
        now = self._clock()
        if self._failing_since is None:
            self._failing_since = now
        longest = min(FIRST_SECONDS * 2**self._failures, LONGEST_SECONDS)
        seconds = self._random.uniform(longest / 2, longest)
        if now + seconds > self._failing_since + self._limit_seconds:
            raise error
        self._failures += 1
        self._sleep(seconds, beat)

    def _sleep(self, seconds: float, beat: Beat) -> None:
        while seconds > 0:
            beat(0)
            self._pause(min(seconds, SLICE_SECONDS))
            seconds -= SLICE_SECONDS
        beat(0)
