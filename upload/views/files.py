"""``/upload-session/<uuid>/files/``: list, send, tell of and remove a session's files.

Files of one request are kept or refused one by one. The answer is 201 where all were
kept, otherwise it has the status and the error of the first that was refused; in both
cases ``results`` tells of each file, in order, whether it was kept.
"""

from typing import Any
from uuid import UUID

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.utils.translation import gettext as _

from upload import answers, intake, multipart, policy, receive
from upload.errors import BodyRefused, NotFound
from upload.events import Cause
from upload.intake import Outcome, Sender
from upload.models import UploadSession
from upload.states import SessionStatus, Verb
from upload.upload_handlers import LeaveUnread
from upload.views.doors import (
    endpoint,
    protected,
    require_person,
    sender_and_session,
    visible_session,
)
from upload.views.sessions import MAX_PAGE, number_of

PAGE_SIZE = 500
MAX_PAGE_SIZE = 1000


def _list(request: HttpRequest, uuid: UUID) -> HttpResponse:
    session = visible_session(require_person(request), uuid)
    size = number_of(request, "page_size", PAGE_SIZE, MAX_PAGE_SIZE)
    number = number_of(request, "page", 1, MAX_PAGE)
    rows = _rows(session, (number - 1) * size, size + 1)
    told = {"session": answers.session_json(session), "page": number}
    return JsonResponse(told | {"more": len(rows) > size, "results": rows[:size]})


def _rows(session: UploadSession, start: int, count: int) -> list[dict[str, Any]]:
    """Return one page of the files: temporary ones first, then permanent ones."""
    if session.status == SessionStatus.EXPIRED:
        return []
    temporary = session.tempuploadedfile_set.order_by("pk")
    here = temporary[start : start + count]
    told = [answers.file_json(file, stored=False) for file in here]
    if len(told) < count:
        skip = max(start - temporary.count(), 0)
        stored = session.permuploadedfile_set.order_by("pk")
        more = stored[skip : skip + count - len(told)]
        told += [answers.file_json(file, stored=True) for file in more]
    return told


def _send(request: HttpRequest, uuid: UUID) -> HttpResponse:
    """Check all that needs no body, then CSRF by its header, then read the body."""
    sender, session = sender_and_session(request, uuid)
    intake.require_may_send(session, sender)
    boundary = multipart.boundary_of(request.headers.get("Content-Type", ""))
    if request.headers.get("Content-Encoding", "identity") != "identity":
        raise BodyRefused(_("Send the body as it is, without a Content-Encoding."))
    intake.require_length(session, request.headers.get("content-length"))
    if sender.via:
        return _take(request, session, boundary, sender)
    request.upload_handlers = [LeaveUnread(request)]
    return protected(lambda request: _take(request, session, boundary, sender), request)


def _take(
    request: HttpRequest, session: UploadSession, boundary: bytes, sender: Sender
) -> HttpResponse:
    outcomes = intake.take(session, request, boundary, sender)
    refused = [outcome.error for outcome in outcomes if outcome.error is not None]
    for error in refused:
        answers.log_refusal(request, error)
    told: dict[str, Any] = {
        "kept": len(outcomes) - len(refused),
        "refused": len(refused),
        "results": [_result(outcome) for outcome in outcomes],
    }
    status = 201
    if refused:
        told |= answers.told(refused[0])
        status = answers.status_of(refused[0])
    return answers.with_retry(JsonResponse(told, status=status))


def _result(outcome: Outcome) -> dict[str, Any]:
    if outcome.error is not None:
        status = answers.status_of(outcome.error)
        told = answers.told(outcome.error)
        return {"name": outcome.name, "status": status, **told}
    file = answers.file_json(outcome.row, stored=False)
    return {"name": outcome.name, "status": 201, "file": file}


def _tell(request: HttpRequest, uuid: UUID, file: UUID) -> HttpResponse:
    session = visible_session(require_person(request), uuid)
    temporary = session.tempuploadedfile_set.filter(uuid=file).first()
    if temporary is not None:
        return JsonResponse(answers.file_json(temporary, stored=False))
    stored = session.permuploadedfile_set.filter(uuid=file).first()
    if stored is None or session.status == SessionStatus.EXPIRED:
        raise NotFound(_("The session has no file of that UUID."))
    return JsonResponse(answers.file_json(stored, stored=True))


def _remove(request: HttpRequest, uuid: UUID, file: UUID) -> HttpResponse:
    user = require_person(request)
    session = visible_session(user, uuid)
    policy.require_right(user, Verb.REMOVE_FILE, session)
    return protected(lambda request: _removed(user, session, file), request)


def _removed(user: Any, session: UploadSession, uuid: UUID) -> HttpResponse:
    row = session.tempuploadedfile_set.filter(uuid=uuid).first()
    if row is None:
        raise NotFound(_("The session has no temporary file of that UUID."))
    try:
        receive.remove(session, row, Cause(actor=user))
    except FileNotFoundError as error:
        raise NotFound(str(error)) from error
    return HttpResponse(status=204)


files = endpoint(GET=_list, POST=_send)
file = endpoint(GET=_tell, DELETE=_remove)
