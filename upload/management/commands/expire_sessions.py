"""Expire the sessions whose time is over; the same as the schedule does."""

from typing import Any

from upload import expiry
from upload.management.sweeping import SweepCommand, Tell
from upload.models import UploadSession


class Command(SweepCommand):
    help = "Expire open sessions without interaction for too long; remove their files."
    deed = "expired"

    def candidates(self) -> Any:
        return UploadSession.objects.get_expirable()

    def sweep(self, tell: Tell) -> tuple[int, int]:
        return expiry.expire_due(UploadSession.objects, tell)
