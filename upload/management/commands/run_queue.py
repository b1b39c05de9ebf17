"""Run one queue's cluster; started by ``run_worker``, seldom by a person.

The queue is named by Q_CLUSTER_NAME, which django-q2 reads at import. Like its own
``qcluster``, except that every process of the cluster ends when its parent is killed.
"""

import signal
from typing import Any

from django.core.management import call_command
from django.core.management.base import BaseCommand

from upload import heap, lifeline


class Command(BaseCommand):
    requires_system_checks = ()  # run_worker has just made them
    help = "Run the cluster of the queue that Q_CLUSTER_NAME names."

    def handle(self, *args: Any, **options: Any) -> None:
        lifeline.end_with_parent(signal.SIGKILL)
        lifeline.end_forks_with_parent()
        heap.settle()
        call_command("qcluster")
