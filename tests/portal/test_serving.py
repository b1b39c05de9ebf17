"""The portal's children are kept running, and ended."""

import signal
import socket
import sys
from collections.abc import Callable, Iterator, Sequence

import pytest

from portal import serving
from portal.serving import Child, KeepsDying, Portal, PortTaken

SLEEPS = [sys.executable, "-c", "import signal; signal.pause()"]
DIES = [sys.executable, "-c", "raise SystemExit(3)"]
IGNORES = "import signal as s; s.signal(s.SIGTERM, s.SIG_IGN); s.pause()"


@pytest.fixture(autouse=True)
def signal_handlers_as_they_were() -> Iterator[None]:
    before = {n: signal.getsignal(n) for n in (signal.SIGINT, signal.SIGTERM)}
    yield before
    for number, handler in before.items():
        signal.signal(number, handler)


def interrupt_when(ready: Callable[[], bool]) -> Callable[[], bool]:
    """Return a readiness test that interrupts the portal once ``ready`` is true."""

    def is_ready() -> bool:
        if ready():
            signal.raise_signal(signal.SIGINT)
        return ready()

    return is_ready


def run(children: Sequence[Child], ready: Callable[[], bool]) -> list[str]:
    told: list[str] = []
    Portal(children, interrupt_when(ready), lambda: told.append("ready")).run()
    return told


def test_a_taken_port_is_refused_with_what_to_do() -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]

        with pytest.raises(PortTaken, match=f"make run PORT={port + 1}"):
            serving.require_free_port("127.0.0.1", port)


def test_a_free_port_is_accepted() -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]

    serving.require_free_port("127.0.0.1", port)


def test_nobody_answers_on_a_port_where_nobody_listens() -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]

    assert serving.answers("127.0.0.1", port) is False


def test_a_signal_ends_the_portal_and_all_its_children() -> None:
    child = Child("sleeper", SLEEPS)

    told = run([child], ready=child.runs)

    assert told == ["ready"]
    assert child.process is not None
    assert child.process.returncode == -signal.SIGTERM


def test_a_child_that_dies_is_started_anew() -> None:
    child = Child("sleeper", SLEEPS)
    child.keep_up()
    first = child.process
    assert first is not None
    first.kill()
    first.wait()

    run([child], ready=lambda: child.runs() and child.process is not first)

    assert child.quick_ends == 1


def test_a_child_that_keeps_dying_ends_the_portal(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(serving, "MOST_QUICK_ENDS", 2)
    sleeper, dying = Child("sleeper", SLEEPS), Child("web server", DIES)

    with pytest.raises(KeepsDying, match="web server ended 2 times in a row"):
        run([sleeper, dying], ready=lambda: False)

    assert not sleeper.runs()


def test_a_child_that_does_not_end_is_killed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(serving, "STOP_SECONDS", 0)
    child = Child("stubborn", [sys.executable, "-c", IGNORES])

    run([child], ready=child.runs)

    assert child.process is not None and child.process.returncode is not None
