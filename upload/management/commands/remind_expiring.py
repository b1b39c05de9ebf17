"""Remind owners of sessions that expire soon; the same as the schedule does."""

from typing import Any

from upload import reminders
from upload.management.sweeping import SweepCommand, Tell
from upload.models import UploadSession


class Command(SweepCommand):
    help = "Send an e-mail to each owner whose open session expires soon, once."
    deed = "reminded"

    def candidates(self) -> Any:
        return reminders.due(UploadSession.objects.all())

    def sweep(self, tell: Tell) -> tuple[int, int]:
        return reminders.remind_due(UploadSession.objects.all(), tell)
