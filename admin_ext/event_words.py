"""Words for the codes of events, for people to read."""

from typing import Any

from django.utils.formats import date_format
from django.utils.timezone import localtime
from django.utils.translation import gettext_lazy as _

PREFIX = "upload.session."

WORDS: dict[str, Any] = {
    "opened": _("Session opened"),
    "upload_started": _("Upload started"),
    "file_received": _("File received"),
    "malware_refused": _("File with malware refused"),
    "described": _("Description saved"),
    "submitted": _("Session submitted"),
    "reminded": _("Owner reminded of the expiry"),
    "file_removed": _("File removed"),
    "file_stored": _("File stored"),
    "transfer_asked": _("Transfer of a file asked for"),
    "emptied": _("Session emptied"),
    "expired": _("Session expired"),
    "store_started": _("Storing started"),
    "stored": _("Session stored"),
    "store_failed": _("Storing failed"),
    "copy_started": _("Copying started"),
    "copied": _("Session copied"),
    "copy_failed": _("Copying failed"),
    "removal_started": _("Removal started"),
    "removed": _("Files removed"),
    "removal_failed": _("Removal failed"),
    "token_renewed": _("Upload token renewed"),
    "store_requested": _("Store requested"),
    "store_resumed": _("Store resumed"),
    "store_refused": _("Store refused"),
    "store_cancel_requested": _("Cancel of the store requested"),
    "bag_described": _("Bag described"),
    "copy_requested": _("Copy requested"),
    "copy_resumed": _("Copy resumed"),
    "copy_refused": _("Copy refused"),
    "copy_cancel_requested": _("Cancel of the copy requested"),
    "remove_requested": _("Removal requested"),
    "remove_approved": _("Removal approved"),
    "remove_declined": _("Removal not approved"),
    "hold_placed": _("Legal hold placed"),
    "hold_lifted": _("Legal hold lifted"),
    "remove_resumed": _("Removal resumed"),
    "remove_refused": _("Removal refused"),
    "verify_requested": _("Verification requested"),
    "verify_refused": _("Verification refused"),
    "verify_cancel_requested": _("Cancel of the verification requested"),
    "verified": _("Files verified"),
    "verify_failed": _("Verification failed"),
    "fixity_failed": _("File failed its fixity check"),
    "remove_cancel_requested": _("Cancel of the removal requested"),
}


def event_words(code: str) -> str:
    """Return the words of a code; of one without words, the code made readable."""
    name = code.removeprefix(PREFIX)
    return str(WORDS.get(name, name.replace("_", " ").capitalize()))


def event_title(event: Any) -> str:
    """Return what happened and when, to stand at the head of the event's page."""
    at = date_format(localtime(event.created_at), "SHORT_DATETIME_FORMAT")
    return f"{event_words(event.code)} · {at}"


def event_reason(event: Any) -> str:
    """Return the reason; in the reader's language where its job gives the same one."""
    job, reason = event.job, str(event.reason)
    return str(job.error_shown) if job and reason and job.error == reason else reason
