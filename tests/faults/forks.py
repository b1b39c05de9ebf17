"""Start Django once, then fork one process a deed: ``python -m tests.faults.forks``.

Reads a command a line and answers each with one line: ``start DEED`` with the process
id of a child that waits, ``go PID`` with ``ok``, and ``wait PID`` with ``stopped``, the
child's exit code, or the negative number of the signal that ended it. A start of Django
takes a second, a fork some milliseconds.
"""

import ctypes
import os
import sys
import traceback
from collections.abc import Callable
from contextlib import suppress

import django

PR_SET_PTRACER = 0x59616D61
PR_SET_PTRACER_ANY = ctypes.c_ulong(-1)

_gates: dict[int, int] = {}


def main() -> None:
    django.setup()
    from tests.faults.deeds import DEEDS  # models can be imported only now

    for line in sys.stdin:
        command, _, argument = line.strip().partition(" ")
        if command == "start":
            answer = str(_start(DEEDS[argument]))
        else:
            answer = {"go": _go, "wait": _wait}[command](int(argument))
        sys.stdout.write(f"{answer}\n")
        sys.stdout.flush()


def _start(deed: Callable[[], object]) -> int:
    """Fork a child that waits for its gate and then does the deed."""
    reading, writing = os.pipe()
    child = os.fork()
    if child:
        os.close(reading)
        _gates[child] = writing
        return child
    os.close(writing)
    os._exit(_do(deed, reading))


def _do(deed: Callable[[], object], gate: int) -> int:
    # Where only descendants may be traced, strace is a stranger to this process.
    with suppress(AttributeError):
        ctypes.CDLL(None).prctl(PR_SET_PTRACER, PR_SET_PTRACER_ANY, 0, 0, 0)
    from django.db import connections

    try:
        os.read(gate, 1)
        deed()
        connections.close_all()
    except BaseException:  # noqa: BLE001 - the exit code and the log tell
        traceback.print_exc()
        return 1
    return 0


def _go(child: int) -> str:
    gate = _gates.pop(child)
    os.write(gate, b"!")
    os.close(gate)
    return "ok"


def _wait(child: int) -> str:
    _, status = os.waitpid(child, os.WUNTRACED)
    if os.WIFSTOPPED(status):
        return "stopped"
    return str(os.waitstatus_to_exitcode(status))


if __name__ == "__main__":
    main()
