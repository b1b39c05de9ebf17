"""The portal's own programs, web server and worker, as a test's child processes.

They run under ``portal.settings`` on a database that the caller's ORM sees as well.
Used by the journey and by ``tests.screenshots``; all children have ended when the
``with`` block has.
"""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from portal import serving
from tests.codebase import ROOT
from upload.models import WorkerBeat

HOST = "127.0.0.1"
QUEUES = 2
PERIOD_SECONDS = 0.02
START_SECONDS = 60
STOP_SECONDS = 10

type Process = subprocess.Popen[bytes]


class NeverTrue(AssertionError):
    """A condition that was waited for did not become true in time."""


def wait_until(condition: Callable[[], object], seconds: float, what: str) -> None:
    """Return once the condition holds; raise ``NeverTrue`` at the deadline."""
    until = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > until:
            raise NeverTrue(f"{what} within {seconds:.0f} s was expected, and was not.")
        time.sleep(PERIOD_SECONDS)


@contextmanager
def web_server(environment: dict[str, str], log: Path) -> Iterator[str]:
    """Serve until the block ends; give the server's address."""
    with web_process(environment, log) as (address, _process):
        yield address


@contextmanager
def web_process(
    environment: dict[str, str], log: Path, port: int = 0
) -> Iterator[tuple[str, Process]]:
    """Serve until the block ends or the caller kills the process's group.

    Another one can take its place at the same ``port``.
    """
    port = port or _free_port()
    command = serving.children(HOST, port)[0].command
    with _running(command, environment, log) as process:
        _wait_for_start(process, log, lambda: serving.answers(HOST, port))
        yield f"http://{HOST}:{port}", process


@contextmanager
def worker(environment: dict[str, str], log: Path) -> Iterator[Process]:
    """Run jobs until the block ends, or until the caller kills the process."""
    command = serving.children(HOST, 0)[1].command
    with _running(command, environment, log) as process:
        _wait_for_start(process, log, lambda: WorkerBeat.objects.count() >= QUEUES)
        yield process


def _free_port() -> int:
    with socket.create_server((HOST, 0)) as probe:
        return int(probe.getsockname()[1])


@contextmanager
def _running(
    command: Sequence[str], environment: dict[str, str], log: Path
) -> Iterator[Process]:
    with log.open("wb") as output:
        process = subprocess.Popen(
            command,
            cwd=ROOT,
            env=environment | {"PARENT_PID": str(os.getpid()), "WEB_CONCURRENCY": "1"},
            start_new_session=True,
            stdout=output,
            stderr=output,
        )
    try:
        yield process
    finally:
        _stop(process)


def _stop(process: Process) -> None:
    process.terminate()
    try:
        process.wait(STOP_SECONDS)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def _wait_for_start(process: Process, log: Path, is_up: Callable[[], bool]) -> None:
    wait_until(
        lambda: process.poll() is not None or is_up(),
        START_SECONDS,
        "A program's start",
    )
    if process.poll() is not None:
        raise NeverTrue(f"A program of the portal ended:\n{log.read_text()}")


def manage(environment: dict[str, str], *arguments: str) -> None:
    """Run a command of ``manage.py`` to its end; raise where it fails."""
    command = [sys.executable, "manage.py", *arguments]
    subprocess.run(command, cwd=ROOT, env=environment, check=True, capture_output=True)
