"""Take PostgreSQL away from a deed at one step: its connections, or the whole server.

The deed is stopped at the step, the harm is done, and it goes on. A step that sends a
statement is stopped when it was sent: the server may have committed what the deed will
never hear of.
"""

import os
import signal
from collections.abc import Callable

from tests.faults.databases import Postgresql
from tests.faults.operations import Operation
from tests.faults.sweep import Step, Verdict, injecting, judge_recovery
from tests.faults.world import Portal


def cut(portal: Portal, operation: Operation, step: Step) -> Verdict:
    """Cut the deed's connection at a step; then what is true must lead to its end."""
    verdict = harm(portal, operation, step, during=_database(portal).cut_connections)
    judge_recovery(portal, operation, verdict)
    return verdict


def harm(
    portal: Portal, operation: Operation, step: Step, *, during: Callable[[], None]
) -> Verdict:
    """Do something to the database while the deed stands at a step."""
    portal.world.restore()
    verdict = Verdict(step)
    with portal.traced(operation.deed, *injecting(step, "STOP")) as process:
        if portal.wait(process) != "stopped":
            return verdict
        verdict.reached = True
        try:
            during()
        finally:
            os.kill(process, signal.SIGCONT)
            portal.wait(process)
    return verdict


def _database(portal: Portal) -> Postgresql:
    database = portal.world.database
    assert isinstance(database, Postgresql)
    return database
