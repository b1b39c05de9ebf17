"""Run the web server and the worker as children of one foreground command.

Used by ``run_portal`` alone; on a server systemd does this, see ``deploy/``. A child
that dies is started anew, one that keeps dying ends everything.
"""

import http.client
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from types import FrameType

from django.conf import settings

TICK_SECONDS = 0.2
STOP_SECONDS = 10
MOST_QUICK_ENDS = 5
STEADY_SECONDS = 30
ANSWER_SECONDS = 2


class PortTaken(Exception):
    """Another program listens where the portal should."""

    def __init__(self, host: str, port: int) -> None:
        super().__init__(
            f"Port {port} of {host} is taken by another program, perhaps another "
            f"portal. Stop that one, or choose another port: make run PORT={port + 1}"
        )


class KeepsDying(Exception):
    """A child ended so often that starting it again makes no sense."""


def require_free_port(host: str, port: int) -> None:
    """Raise ``PortTaken`` unless this process could listen there."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            raise PortTaken(host, port) from error


def answers(host: str, port: int) -> bool:
    """Return whether a web server answers there without an error of its own."""
    connection = http.client.HTTPConnection(host, port, timeout=ANSWER_SECONDS)
    try:
        connection.request("GET", "/healthz")
        return connection.getresponse().status < http.client.INTERNAL_SERVER_ERROR
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


@dataclass
class Child:
    """A program that shall run as long as the portal does."""

    name: str
    command: Sequence[str]
    process: "subprocess.Popen[bytes] | None" = None
    quick_ends: int = 0
    _started_at: float = 0
    _restart_at: float = field(default=0, repr=False)

    def keep_up(self) -> None:
        """Start it where it does not run. Raise ``KeepsDying`` after the last try."""
        now = time.monotonic()
        if self.process is not None and self.process.poll() is not None:
            self._note_end(self.process.returncode, now)
        if self.process is None and now >= self._restart_at:
            self._start(now)

    def _start(self, now: float) -> None:
        # A group of its own: Ctrl-C reaches only the portal, which stops its children.
        self.process = subprocess.Popen(  # noqa: S603 - our own command
            self.command,
            cwd=settings.BASE_DIR,
            env=os.environ | {"PARENT_PID": str(os.getpid())},  # see upload.lifeline
            start_new_session=True,
        )
        self._started_at = now

    def _note_end(self, code: int, now: float) -> None:
        steady = now - self._started_at > STEADY_SECONDS
        self.quick_ends = 1 if steady else self.quick_ends + 1
        if self.quick_ends >= MOST_QUICK_ENDS:
            raise KeepsDying(
                f"The {self.name} ended {self.quick_ends} times in a row, last with "
                f"code {code}. Its messages above say why; mend that and start again."
            )
        self.process, self._restart_at = None, now + 2 ** (self.quick_ends - 1)

    def ask_to_stop(self) -> None:
        if self.process is not None and self.process.poll() is None:
            self.process.terminate()

    def kill(self) -> None:
        """Kill its group; what it had started in other groups ends with it."""
        if self.process is not None and self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()

    def runs(self) -> bool:
        return self.process is not None and self.process.poll() is None


def children(host: str, port: int) -> list[Child]:
    """Return the web server and the worker, not yet started."""
    config = settings.BASE_DIR / "deploy" / "gunicorn.conf.py"
    server = ["-m", "gunicorn", "-c", str(config), "--bind", f"{host}:{port}"]
    manage = str(settings.BASE_DIR / "manage.py")
    return [
        Child("web server", [sys.executable, *server, "--log-level", "warning"]),
        Child("worker", [sys.executable, manage, "run_worker"]),
    ]


class Portal:
    """Runs the children until SIGINT or SIGTERM; a second signal kills them."""

    def __init__(
        self,
        running: Sequence[Child],
        is_ready: Callable[[], bool],
        tell_ready: Callable[[], None],
    ) -> None:
        self.children = running
        self._is_ready = is_ready
        self._tell_ready = tell_ready
        self._signals = 0

    def run(self) -> None:
        """Return when a signal has ended it. Raise ``KeepsDying``."""
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, self._count_signal)
        told = False
        try:
            while not self._signals:
                for child in self.children:
                    child.keep_up()
                if not told and self._is_ready():
                    self._tell_ready()
                    told = True
                time.sleep(TICK_SECONDS)
        finally:
            self.stop()

    def _count_signal(self, number: int, frame: FrameType | None) -> None:
        self._signals += 1

    def stop(self) -> None:
        """Ask all children to end, and kill those that do not."""
        until = time.monotonic() + STOP_SECONDS
        for child in self.children:
            child.ask_to_stop()
        while any(child.runs() for child in self.children):
            if time.monotonic() > until or self._signals > 1:
                break
            time.sleep(TICK_SECONDS)
        for child in self.children:
            child.kill()
