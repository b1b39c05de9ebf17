"""One django-q2 cluster as a process group: start it, watch it, stop it.

``supervisor`` holds one for each queue. Signals go to the cluster's main process only:
sent to the whole group they hang a cluster, except for SIGKILL.
"""

import logging
import os
import signal
import socket
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from django.conf import settings
from django.utils import timezone

from upload import lifeline, queues
from upload.models import Job, WorkerBeat
from upload.queued_storage import records
from upload.states import JobState

logger = logging.getLogger(__name__)

MANAGE = Path(settings.BASE_DIR) / "manage.py"
START_GRACE_SECONDS = 15
LONGEST_PAUSE_SECONDS = 30
STEADY_SECONDS = 60
LOOK_SECONDS = 0.1


@dataclass
class Cluster:
    """``alive_at`` is when the queue last gave a sign of life, by the monotonic clock.

    ``stop_file`` exists while the cluster's jobs shall go back to the queue.
    """

    queue: str
    workers: int
    stop_file: Path
    process: "subprocess.Popen[bytes] | None" = None
    started_at: float = 0
    alive_at: float = 0
    asked_at: float = 0
    restart_at: float = 0
    quick_ends: int = 0
    _seen: Any = field(default=None, repr=False)

    def start(self) -> None:
        """Start the cluster in a process group of its own."""
        self.stop_file.unlink(missing_ok=True)
        self.process = subprocess.Popen(  # noqa: S603 - our own command
            [sys.executable, str(MANAGE), "run_queue"],
            env=os.environ
            | {
                "Q_CLUSTER_NAME": self.queue,
                "WORKER_STOP_FILE": str(self.stop_file),
                lifeline.PARENT_VARIABLE: str(os.getpid()),
            },
            start_new_session=True,
        )
        self.started_at = time.monotonic()
        self.alive_at = self.started_at + START_GRACE_SECONDS
        self.asked_at = 0
        logger.info("Queue %s: cluster %d started.", self.queue, self.process.pid)

    def keep_up(self) -> None:
        """Start the cluster anew when it has ended, later each time it ends at once."""
        now = time.monotonic()
        if self.process is not None and self.process.poll() is not None:
            self._note_end(self.process.returncode, now)
        if self.process is None and now >= self.restart_at:
            self.start()

    def _note_end(self, code: int, now: float) -> None:
        steady = now - self.started_at > STEADY_SECONDS
        self.quick_ends = 0 if steady else self.quick_ends + 1
        pause = min(2**self.quick_ends - 1, LONGEST_PAUSE_SECONDS)
        logger.error(
            "Queue %s: its cluster ended with code %s; the next starts in %d s.",
            self.queue,
            code,
            pause,
        )
        self.kill()
        self.process, self.restart_at = None, now + pause

    def look_for_life(self) -> None:
        """Note a new heartbeat, or that jobs keep all workers busy.

        Heartbeats are told apart, not compared with a clock that may be set anew; one
        that was not asked for since the start is an earlier cluster's.
        """
        mine = WorkerBeat.objects.filter(queue=self.queue, host=socket.gethostname())
        seen = mine.values_list("seen_at")
        newest = seen.first()
        is_answer = newest != self._seen and bool(self.asked_at)
        self._seen = newest
        if is_answer:
            self.asked_at = 0
        if is_answer or self.jobs_running() >= self.workers:
            self.alive_at = time.monotonic()

    def jobs_running(self) -> int:
        """Return how many live leases this cluster's processes hold.

        A turn at a queued storage holds many and counts as one.
        """
        held = Job.objects.filter(
            state=JobState.RUNNING, lease_until__gt=timezone.now()
        ).values_list("lease_owner", flat=True)
        return sum(self._owns(owner) for owner in (*held, *records.busy_owners()))

    def _owns(self, owner: str) -> bool:
        host, _colon, pid = owner.rpartition(":")
        if self.process is None or host != socket.gethostname():
            return False
        try:
            return os.getpgid(int(pid)) == self.process.pid
        except (ProcessLookupError, ValueError):
            return False

    def is_silent(self, limit_seconds: float) -> bool:
        """Return whether no sign of life came for so long."""
        return time.monotonic() - self.alive_at > limit_seconds

    def ask_for_life(self, patience_seconds: float) -> None:
        """Queue a heartbeat, unless one is on its way or all workers are busy."""
        now = time.monotonic()
        waits = self.asked_at and now - self.asked_at < patience_seconds
        if waits or self.jobs_running() >= self.workers:
            return
        queues.push_heartbeat(self.queue)
        self.asked_at = now

    def ask_to_stop(self) -> None:
        """Send jobs back to the queue and let the cluster end by itself."""
        self.stop_file.touch()
        if self.process is not None and self.process.poll() is None:
            self.process.terminate()

    def wait(self, until: float) -> bool:
        """Wait for all its processes to end; False if some live at ``until``."""
        while not self.is_gone():
            if time.monotonic() >= until:
                return False
            time.sleep(LOOK_SECONDS)
        return True

    def is_gone(self) -> bool:
        if self.process is None:
            return True
        if self.process.poll() is None:
            return False
        try:
            os.killpg(self.process.pid, 0)
        except ProcessLookupError:
            return True
        return False

    def kill(self) -> None:
        """Kill the whole group; jobs it was running go on by their leases."""
        if self.process is None or self.is_gone():
            return
        os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()
