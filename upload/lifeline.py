"""Tie a process to its parent, so that nothing outlives a killed supervisor.

Called first thing by each process that a supervisor of ours starts, which names itself
in PARENT_PID. Linux only; elsewhere a supervisor that is killed -9 leaves processes
behind, which take no wrong step (jobs are fenced) but have to be ended by hand.
"""

import ctypes
import os
import signal
import sys

PARENT_VARIABLE = "PARENT_PID"
PR_SET_PDEATHSIG = 1


def end_with_parent(signum: int = signal.SIGTERM) -> None:
    """Have the kernel send ``signum`` to this process when its starter ends.

    Does nothing where PARENT_PID is not set. A starter that has ended already counts.
    """
    parent = os.environ.pop(PARENT_VARIABLE, "")
    if parent:
        _tie(int(parent), signum)


def end_forks_with_parent() -> None:
    """Have every process forked from here on killed when its own parent ends."""
    os.register_at_fork(before=_remember_parent, after_in_child=_tie_fork)


_forking_pid = 0


def _remember_parent() -> None:
    global _forking_pid
    _forking_pid = os.getpid()


def _tie_fork() -> None:
    _tie(_forking_pid, signal.SIGKILL)


def _tie(parent: int, signum: int) -> None:
    if not sys.platform.startswith("linux"):
        return
    ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, signum)
    if os.getppid() != parent:  # it ended before the kernel was told
        os.kill(os.getpid(), signum)
