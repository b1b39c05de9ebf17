"""``/upload-session/<uuid>/tus/``: resumable uploads by tus 1.0.

Whoever may send by the plain endpoint may send here: a signed-in person with a CSRF
token in its header, or who holds the session's token. All that needs no body is checked
before one is read.
"""

from collections.abc import Callable, Iterator
from typing import Any
from uuid import UUID

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.urls import reverse
from django.utils.http import http_date
from django.views.decorators.csrf import csrf_exempt

from upload import answers, conf, intake, resumable, tus, unfinished
from upload.errors import DigestMismatch
from upload.intake import TRUE_WORDS
from upload.models import UploadSession
from upload.resumable import Announced, Piece
from upload.tus_errors import OffsetConflict
from upload.upload_handlers import LeaveUnread
from upload.views.doors import endpoint, protected, sender_and_session
from upload.views.sessions import MAX_PAGE, number_of

READ_BYTES = 1 << 20
STARTED_ON_PAGE = 500


def _spoken(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
    """Add what every answer of the protocol carries, refusals included."""

    @csrf_exempt
    def spoken(request: HttpRequest, **kwargs: Any) -> HttpResponse:
        override = request.headers.get("X-HTTP-Method-Override", "")
        if request.method == "POST" and override in {"PATCH", "DELETE", "HEAD"}:
            request.method = override
        response = view(request, **kwargs)
        response.headers["Tus-Resumable"] = tus.VERSION
        return response

    return spoken


def _refusing(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
    """Check the version; answer refusals that have headers of their own."""

    def refusing(request: HttpRequest, **kwargs: Any) -> HttpResponse:
        try:
            tus.require_version(request.headers.get("Tus-Resumable", ""))
            return view(request, **kwargs)
        except OffsetConflict as error:
            response = answers.refusal(request, error)
            response.headers["Upload-Offset"] = str(error.true)
        except DigestMismatch as error:
            response = answers.refusal(request, error)
            response.status_code = 460
        except answers.KNOWN as error:
            response = answers.refusal(request, error)
        if response.status_code == 412:
            response.headers["Tus-Version"] = tus.VERSION
        return response

    return refusing


def _options(request: HttpRequest, **kwargs: Any) -> HttpResponse:
    return HttpResponse(
        status=204,
        headers={
            "Tus-Version": tus.VERSION,
            "Tus-Extension": tus.EXTENSIONS,
            "Tus-Max-Size": str(conf.max_single_size_bytes()),
            "Tus-Checksum-Algorithm": ",".join(tus.ALGORITHMS),
        },
    )


def _guarded(
    request: HttpRequest, sender: intake.Sender, act: Callable[[], HttpResponse]
) -> HttpResponse:
    """Ask for CSRF where somebody came by a cookie; the body stays unread."""
    if sender.via:
        return act()
    request.upload_handlers = [LeaveUnread(request)]
    return protected(lambda request: act(), request)


def _chunks(request: HttpRequest) -> Iterator[bytes]:
    while chunk := request.read(READ_BYTES):
        yield chunk


def _piece(request: HttpRequest) -> Piece:
    tus.require_piece(request.headers)
    length = tus.length_of_body(request.headers)
    checksum = tus.checksum(request.headers.get("Upload-Checksum", ""))
    return Piece(_chunks(request), length, checksum)


def _headers(upload: Any) -> dict[str, str]:
    return {
        "Upload-Offset": str(upload.offset),
        "Upload-Expires": http_date(upload.expires_at.timestamp()),
    }


def _started(request: HttpRequest, uuid: UUID) -> HttpResponse:
    """List what was begun in the session, oldest first, for its upload page.

    Finished ones stand there until they expire: a sender whose last answer was lost,
    or who comes back after a reload, finds them by name, size and ``last_modified``.
    ``?name=`` lists one name only, ``?finished=0`` what is to be gone on with.
    """
    sender, session = sender_and_session(request, uuid)
    intake.require_may_send(session, sender)
    number = number_of(request, "page", 1, MAX_PAGE)
    rows = session.unfinishedupload_set.order_by("pk")
    if "name" in request.GET:
        rows = rows.filter(name=request.GET["name"])
    if request.GET.get("finished") == "0":
        rows = rows.filter(finished_at=None)
    start = (number - 1) * STARTED_ON_PAGE
    found = list(rows[start : start + STARTED_ON_PAGE + 1])
    told = [_told(session, upload) for upload in found[:STARTED_ON_PAGE]]
    more = len(found) > STARTED_ON_PAGE
    return JsonResponse({"page": number, "more": more, "results": told})


def _told(session: UploadSession, upload: Any) -> dict[str, Any]:
    return {
        "name": upload.name,
        "relative_path": upload.relative_path,
        "length": upload.length,
        "offset": upload.offset,
        "finished": upload.finished_at is not None,
        "last_modified": tus.metadata(upload.metadata).get("last_modified", ""),
        "expires_at": upload.expires_at,
        "url": _url(session, upload),
    }


def _url(session: UploadSession, upload: Any) -> str:
    return reverse("upload:tus_upload", args=[session.uuid, upload.uuid])


@_refusing
def _create(request: HttpRequest, uuid: UUID) -> HttpResponse:
    sender, session = sender_and_session(request, uuid)
    intake.require_may_send(session, sender)
    announced = _announced(request)
    piece = Piece((), 0)
    # Some servers give an empty body a type of their own.
    length, kind = (request.headers.get(f"Content-{it}") for it in ("Length", "Type"))
    if length != "0" and (length or kind):
        piece = _piece(request)

    def created() -> HttpResponse:
        if piece.length or not announced.length:
            upload = resumable.begin_with(session, announced, sender, piece)
        else:
            upload = resumable.begin(session, announced, sender)
        told = _headers(upload) | {"Location": _url(session, upload)}
        return HttpResponse(status=201, headers=told)

    return _guarded(request, sender, created)


def _announced(request: HttpRequest) -> Announced:
    raw = request.headers.get("Upload-Metadata", "")
    told = tus.metadata(raw)
    return Announced(
        name=told.get("filename", told.get("name", "")),
        length=tus.number(request.headers, "Upload-Length"),
        relative_path=told.get("relative_path", ""),
        sha256=told.get("sha256", ""),
        numbered=told.get("numbered", "") in TRUE_WORDS,
        metadata=raw,
    )


@_refusing
def _offset(request: HttpRequest, uuid: UUID, upload: UUID) -> HttpResponse:
    sender, session = sender_and_session(request, uuid)
    intake.require_may_send(session, sender)
    found = resumable.find(session, upload)
    told = _headers(found) | {"Upload-Length": str(found.length)}
    if found.metadata:
        told["Upload-Metadata"] = found.metadata
    return HttpResponse(headers=told)


@_refusing
def _append(request: HttpRequest, uuid: UUID, upload: UUID) -> HttpResponse:
    sender, session = sender_and_session(request, uuid)
    intake.require_may_send(session, sender)
    offset = tus.number(request.headers, "Upload-Offset")
    piece = _piece(request)

    def appended() -> HttpResponse:
        found = resumable.append(resumable.find(session, upload), offset, piece)
        return HttpResponse(status=204, headers=_headers(found))

    return _guarded(request, sender, appended)


@_refusing
def _terminate(request: HttpRequest, uuid: UUID, upload: UUID) -> HttpResponse:
    sender, session = sender_and_session(request, uuid)
    intake.require_may_send(session, sender)

    def terminated() -> HttpResponse:
        unfinished.terminate(resumable.find(session, upload))
        return HttpResponse(status=204)

    return _guarded(request, sender, terminated)


uploads = _spoken(endpoint(OPTIONS=_options, GET=_started, POST=_create))
upload = _spoken(
    endpoint(OPTIONS=_options, HEAD=_offset, PATCH=_append, DELETE=_terminate)
)
