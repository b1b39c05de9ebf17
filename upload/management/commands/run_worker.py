"""Run the background workers of this machine in the foreground, until a signal."""

from typing import Any

from django.core.management.base import BaseCommand

from upload import lifeline, supervisor


class Command(BaseCommand):
    help = "Run all queues' workers and the watchdog; SIGTERM ends them within 30 s."

    def handle(self, *args: Any, **options: Any) -> None:
        lifeline.end_with_parent()
        supervisor.run()
