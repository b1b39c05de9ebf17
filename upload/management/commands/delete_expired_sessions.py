"""Delete the rows of sessions that expired long ago; their events stay."""

from typing import Any

from upload import expiry
from upload.management.sweeping import SweepCommand, Tell
from upload.models import UploadSession


class Command(SweepCommand):
    help = "Delete sessions that expired more than DELETE_EXPIRED_AFTER_DAYS ago."
    deed = "deleted"

    def candidates(self) -> Any:
        return expiry.deletable(UploadSession.objects)

    def sweep(self, tell: Tell) -> tuple[int, int]:
        return expiry.delete_expired(UploadSession.objects, tell)
