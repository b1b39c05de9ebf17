"""The upload page's form for browsers without JavaScript.

Its first field is the CSRF token; no byte of a file is read before that was checked.
"""

from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _

from upload import answers, intake, multipart
from upload.errors import BodyRefused
from upload.intake import Outcome, Sender
from upload.models import UploadSession
from upload.upload_handlers import LeaveUnread
from upload.views.doors import protected

TOKEN = "csrfmiddlewaretoken"  # noqa: S105  the name of a field


def take(request: HttpRequest, session: UploadSession) -> HttpResponse:
    """Take the form's files, tell what became of each, and show the page again."""
    sender = Sender(request.user)
    intake.require_may_send(session, sender)
    boundary = multipart.boundary_of(request.headers.get("Content-Type", ""))
    intake.require_length(session, request.headers.get("content-length"))
    parts = multipart.read_parts(request, boundary)
    first = next(parts, None)
    if first is None or first.field != TOKEN or first.filename is not None:
        raise BodyRefused(_("The form has to begin with its CSRF token."))
    token = multipart.read_text(first, settings.DATA_UPLOAD_MAX_MEMORY_SIZE)
    request.META[settings.CSRF_HEADER_NAME] = token
    request.upload_handlers = [LeaveUnread(request)]

    def taken(request: HttpRequest) -> HttpResponse:
        for outcome in intake.take_parts(session, parts, sender):
            _tell(request, outcome)
        return answers.private(redirect(request.path))

    return protected(taken, request)


def _tell(request: HttpRequest, outcome: Outcome) -> None:
    if outcome.error is None:
        messages.success(
            request, _("“%(name)s” was received.") % {"name": outcome.name}
        )
        return
    answers.log_refusal(request, outcome.error)
    told = answers.told(outcome.error)
    messages.error(request, f"{told['error']} {told['hint']}")
