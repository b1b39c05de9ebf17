"""What HTTP answers: status, code and hint of each kind of error, and rows as JSON.

Every refusal has ``code`` (stable), ``error`` (what was seen) and ``hint`` (what to
do), is logged on one line, and names nothing that the asker may not know of. A
session's token is never part of an answer.
"""

import errno
import logging
from typing import Any

from django.contrib.auth.models import AnonymousUser
from django.core.exceptions import (
    ObjectDoesNotExist,
    RequestDataTooBig,
    SuspiciousOperation,
    TooManyFieldsSent,
)
from django.http import HttpRequest, HttpResponse, JsonResponse, UnreadablePostError
from django.http.multipartparser import MultiPartParserError
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from upload import errors, names, tus_errors
from upload.models import UploadSession
from upload.states import SessionStatus

logger = logging.getLogger(__name__)

RETRY_AFTER_SECONDS = 5
FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
# The first class that fits decides.
STATUSES: tuple[tuple[type[Exception], int], ...] = (
    (errors.NotSignedIn, 401),
    (errors.NotPermitted, 403),
    (errors.UploadsOff, 403),
    (errors.NotFound, 404),
    (errors.SourceMissing, 404),
    (errors.NameTaken, 409),
    (errors.LimitExceeded, 409),
    (errors.IllegalTransition, 409),
    (errors.SessionBusy, 409),
    (errors.SessionSubmitted, 409),
    (errors.DraftRefused, 409),
    (tus_errors.OffsetConflict, 409),
    (errors.LengthRequired, 411),
    (errors.TooLarge, 413),
    (errors.TooLargeToScan, 413),
    (errors.DigestMismatch, 422),
    (errors.SizeMismatch, 422),
    (errors.MalwareFound, 422),
    (errors.ScannerUnavailable, 503),
    (tus_errors.UploadLocked, 423),
    (tus_errors.ChecksumMismatch, 460),
    (errors.NoRoom, 507),
    (tus_errors.ProtocolRefused, 400),
    (errors.NameRefused, 400),
    (errors.ReasonMissing, 400),
    (errors.TypeRefused, 400),
    (errors.EmptyFileRefused, 400),
    (errors.BodyRefused, 400),
    (errors.FilterRefused, 400),
    (RequestDataTooBig, 413),
    (TooManyFieldsSent, 400),
    (MultiPartParserError, 400),
    (SuspiciousOperation, 400),
    (UnreadablePostError, 400),
    (ObjectDoesNotExist, 404),
    (UploadSession.SessionLimitExceeded, 409),
    *((kind, 503) for kind in errors.DATABASE_ERRORS),
    (OSError, 503),
)
KNOWN = tuple(kind for kind, _status in STATUSES)
TRY_AGAIN = gettext_lazy("Nothing was kept. Send it again.")
HINTS = {
    "not_signed_in": gettext_lazy("Sign in, or send the session's token."),
    "not_permitted": gettext_lazy("Ask an administrator for the permission."),
    "not_found": gettext_lazy("Check the address, or ask the owner."),
    "name_taken": gettext_lazy("Rename the file, or send numbered=1 to keep both."),
    "limit_exceeded": gettext_lazy("Open another session for further files."),
    "too_large": gettext_lazy("Send a smaller file, or one file a request."),
    "digest_mismatch": TRY_AGAIN,
    "size_mismatch": TRY_AGAIN,
    "checksum_mismatch": gettext_lazy("Ask for the offset and go on from there."),
    "offset_conflict": gettext_lazy("Ask for the offset and go on from there."),
    "upload_locked": gettext_lazy("Ask for the offset and go on from there."),
    "expired": gettext_lazy("Open a new session and send the files there."),
    "session_limit_exceeded": gettext_lazy("Finish or expire an open session first."),
    "session_submitted": gettext_lazy(
        "Open a new session for further files, or ask the records staff."
    ),
    "malware_found": gettext_lazy(
        "Do not open the file. Tell whoever gave it to you, and your administrator."
    ),
    "too_large_to_scan": gettext_lazy("Ask an administrator how to hand it over."),
    "scanner_unavailable": gettext_lazy(
        "Nothing was kept. Send it again in a few minutes; if that does not help, tell "
        "an administrator."
    ),
    "storage_full": gettext_lazy("Nothing was kept. Tell an administrator."),
    "source_missing": gettext_lazy("Tell an administrator; look in a backup."),
    "source_unreadable": gettext_lazy("Tell an administrator; look in a backup."),
    "unavailable": gettext_lazy(
        "It is not known whether this was done. Look again in a moment before you "
        "repeat it."
    ),
}
CORRECT_IT = gettext_lazy("Correct it and send it again.")


def status_of(error: Exception) -> int:
    """Return the HTTP status of an error in ``KNOWN``."""
    if _is_expired(error):
        return 410
    if isinstance(error, OSError) and error.errno in FULL:
        return 507
    if isinstance(error, tus_errors.ProtocolRefused):
        return error.status
    return next(status for kind, status in STATUSES if isinstance(error, kind))


def _is_expired(error: Exception) -> bool:
    return isinstance(error, errors.IllegalTransition) and error.found == str(
        SessionStatus.EXPIRED.label
    )


def told(error: Exception) -> dict[str, str]:
    """Return ``code``, ``error`` and ``hint`` of an error in ``KNOWN``."""
    code, message = _code_and_message(error)
    hint = getattr(error, "hint", "") or HINTS.get(code, CORRECT_IT)
    return {"code": code, "error": message, "hint": str(hint)}


def _code_and_message(error: Exception) -> tuple[str, str]:
    if _is_expired(error):
        return "expired", str(error)
    if status_of(error) == 507:
        return "storage_full", _("The storage is full.")
    if isinstance(error, errors.MunimentError | UploadSession.SessionLimitExceeded):
        return error.code, str(error)
    if isinstance(error, ObjectDoesNotExist):
        return "not_found", _("This is gone: somebody has deleted it.")
    if isinstance(error, errors.DATABASE_ERRORS):
        return "unavailable", _("The database is busy or does not answer.")
    if isinstance(error, UnreadablePostError):
        return "cut_off", _("The connection ended before the whole request was read.")
    if isinstance(error, OSError):
        return "unavailable", _("The storage does not answer.")
    if isinstance(error, RequestDataTooBig):
        return "too_large", _("The request is larger than may be sent at once.")
    return "malformed_body", _("The request cannot be read.")


def refusal(request: HttpRequest, error: Exception) -> HttpResponse:
    """Return the JSON answer to an error in ``KNOWN``, logged on one line."""
    log_refusal(request, error)
    response = JsonResponse(told(error), status=status_of(error))
    return with_retry(response)


def with_retry(response: HttpResponse) -> HttpResponse:
    """Say when to come back, and how to sign in, where the status asks for it."""
    if response.status_code == 503:
        response.headers["Retry-After"] = str(RETRY_AFTER_SECONDS)
    if response.status_code == 401:
        response.headers["WWW-Authenticate"] = "Bearer"
    return response


def wants_json(request: HttpRequest) -> bool:
    return "application/json" in request.headers.get("Accept", "")


def log_refusal(request: HttpRequest, error: Exception) -> None:
    """Write one line without line breaks or invisible characters from outside."""
    status = status_of(error)
    logger.log(
        logging.ERROR if status >= 500 else logging.WARNING,
        "Refused with %s (%s): %s %s by %s: %s",
        status,
        told(error)["code"],
        request.method,
        names.printable(request.path),
        names.printable(_name_of_person(request)),
        names.printable(str(error)),
        exc_info=error if isinstance(error, OSError) and status == 503 else None,
    )


def _name_of_person(request: HttpRequest) -> str:
    """Return who asked; nobody where the database cannot tell.

    Then the page that tells of the error must not ask it again.
    """
    try:
        user = getattr(request, "user", None)
        return user.get_username() if user else ""
    except errors.DATABASE_ERRORS:
        request.user = AnonymousUser()
        return ""


def private(response: HttpResponse) -> HttpResponse:
    """Forbid every cache to keep the answer."""
    response.headers["Cache-Control"] = "private, no-store"
    return response


def session_json(session: Any) -> dict[str, Any]:
    """Return what the list and the opening of sessions tell of one."""
    return {
        "uuid": str(session.uuid),
        "status": session.status,
        "status_label": session.get_status_display(),
        "owner": session.user.get_username() if session.user else None,
        "started_at": session.started_at,
        "last_interaction_at": session.last_upload_interaction_time,
        "expires_at": session.expires_on,
        "on_hold": session.hold_count > 0,
        "files": session.total_files,
        "size_bytes": session.total_size_bytes,
        "files_url": reverse("upload:files", kwargs={"uuid": session.uuid}),
        "upload_url": reverse("upload:upload_page", kwargs={"uuid": session.uuid}),
    }


def file_json(file: Any, *, stored: bool) -> dict[str, Any]:
    """Return what a session's list of files tells of one."""
    return {
        "uuid": str(file.uuid),
        "name": file.name,
        "original_name": file.original_name,
        "relative_path": file.relative_path,
        "size_bytes": file.size,
        "sha256": file.sha256,
        "content_type": file.content_type,
        "received_at": file.received_at,
        "stored": stored,
        "url": file.get_file_access_url(),
    }
