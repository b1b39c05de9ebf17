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
def running_portal(environment: dict[str, str], log: Path) -> Iterator[str]:
    """Serve and work until the block ends; give the address of the web server."""
    port = _free_port()
    commands = [child.command for child in serving.children(HOST, port)]
    children: list[Process] = []
    try:
        with log.open("wb") as output:
            for command in commands:
                children.append(_start(command, environment, output.fileno()))
        _wait_for_start(children, port, log)
        yield f"http://{HOST}:{port}"
    finally:
        _stop(children)


def _free_port() -> int:
    with socket.create_server((HOST, 0)) as probe:
        return int(probe.getsockname()[1])


def _start(command: Sequence[str], environment: dict[str, str], output: int) -> Process:
    return subprocess.Popen(
        command,
        cwd=ROOT,
        env=environment | {"PARENT_PID": str(os.getpid()), "WEB_CONCURRENCY": "1"},
        start_new_session=True,
        stdout=output,
        stderr=output,
    )


def _wait_for_start(children: list[Process], port: int, log: Path) -> None:
    def is_up() -> bool:
        if any(child.poll() is not None for child in children):
            raise NeverTrue(f"A program of the portal ended:\n{log.read_text()}")
        return serving.answers(HOST, port) and WorkerBeat.objects.count() >= QUEUES

    wait_until(is_up, START_SECONDS, "The portal answering")


def _stop(children: list[Process]) -> None:
    for child in children:
        child.terminate()
    for child in children:
        try:
            child.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            os.killpg(child.pid, signal.SIGKILL)
            child.wait()


def manage(environment: dict[str, str], *arguments: str) -> None:
    """Run a command of ``manage.py`` to its end; raise where it fails."""
    command = [sys.executable, "manage.py", *arguments]
    subprocess.run(command, cwd=ROOT, env=environment, check=True, capture_output=True)
