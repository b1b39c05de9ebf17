"""Keep the queues' clusters running, with the watchdog beside them.

Run by ``run_worker`` in the foreground. A cluster that ends is started anew; one that
hangs (its heartbeat tasks are not run although a worker should be free) is stopped
and replaced. Moves no byte and decides about no job: ``recovery.recover`` does.
"""

import logging
import signal
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from types import FrameType
from typing import Any

from django.conf import settings
from django.db import close_old_connections

from upload import conf, queues, recovery, schedules
from upload.cluster import Cluster

logger = logging.getLogger(__name__)

TICK_SECONDS = 0.25
STOP_SECONDS = 25  # systemd and run_portal wait 30
HUNG_STOP_SECONDS = 5
SWEEPS_OF_SILENCE = 4


def silence_limit() -> float:
    """Return after how many seconds without a heartbeat a cluster counts as hung."""
    return max(conf.worker_silence_seconds(), SWEEPS_OF_SILENCE * _sweep_seconds())


def _sweep_seconds() -> int:
    return conf.job_sweep_seconds()


def _workers_by_queue() -> dict[str, int]:
    short: dict[str, Any] = settings.Q_CLUSTER
    return {
        queues.SHORT: short["workers"],
        queues.LONG: short["ALT_CLUSTERS"][queues.LONG]["workers"],
    }


class Supervisor:
    """One foreground loop; ``run`` returns when SIGTERM or SIGINT has ended it."""

    def __init__(self, stop_folder: Path) -> None:
        self.clusters = [
            Cluster(queue, count, stop_folder / f"stop-{queue}")
            for queue, count in _workers_by_queue().items()
        ]
        self._stop_asked_at: float | None = None
        self._next_sweep = 0.0

    def run(self) -> None:
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._ask_to_stop)
        try:
            while self._stop_asked_at is None:
                self.step()
                time.sleep(TICK_SECONDS)
        finally:
            self.stop()

    def _ask_to_stop(self, number: int, frame: FrameType | None) -> None:
        if self._stop_asked_at is None:
            self._stop_asked_at = time.monotonic()

    def step(self) -> None:
        """Keep the clusters up; sweep when it is time. Never raises."""
        for cluster in self.clusters:
            _guarded(cluster.keep_up)
        if time.monotonic() >= self._next_sweep:
            self._next_sweep = time.monotonic() + _sweep_seconds()
            self.sweep()

    def sweep(self) -> None:
        """Recover jobs, then look for hung clusters."""
        close_old_connections()
        _guarded(recovery.recover)
        _guarded(schedules.mend_times)
        for cluster in self.clusters:
            _guarded(partial(look_after, cluster))
        close_old_connections()

    def stop(self) -> None:
        """End all clusters: by themselves within STOP_SECONDS, or killed."""
        asked_at = self._stop_asked_at or time.monotonic()
        for cluster in self.clusters:
            cluster.ask_to_stop()
        for cluster in self.clusters:
            if not cluster.wait(asked_at + STOP_SECONDS):
                logger.error("Queue %s: did not stop and is killed.", cluster.queue)
                cluster.kill()
            cluster.stop_file.unlink(missing_ok=True)


def look_after(cluster: Cluster) -> None:
    """Replace the cluster if it is silent; otherwise ask for its next heartbeat."""
    if cluster.process is None:
        return
    cluster.look_for_life()
    if cluster.is_silent(silence_limit()):
        replace(cluster)
    else:
        cluster.ask_for_life(silence_limit() / 2)


def replace(cluster: Cluster) -> None:
    """Kill a hung cluster, after giving running jobs time to go back; start another."""
    logger.error("Queue %s: its cluster hangs and is replaced.", cluster.queue)
    if cluster.jobs_running():
        cluster.ask_to_stop()
        cluster.wait(time.monotonic() + HUNG_STOP_SECONDS)
    cluster.kill()
    cluster.start()


def _guarded(act: Callable[[], object]) -> None:
    """Do it, and log what goes wrong: the loop must outlive any one failure."""
    try:
        act()
    except Exception:
        logger.exception("The worker's supervisor goes on after this error.")
        close_old_connections()


def run() -> None:
    """Supervise until a signal; the stop files live in a private temporary folder."""
    with tempfile.TemporaryDirectory(prefix="muniment-worker-") as folder:
        Supervisor(Path(folder)).run()
