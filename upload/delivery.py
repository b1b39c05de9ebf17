"""The response that carries a file's bytes, harmless to whoever opens it.

Only raster images from a fixed list are shown in the page, everything else is saved;
no browser guesses a type, runs a script or keeps a copy. Asks no permission: ``access``
has done that before.
"""

from typing import IO, Any
from urllib.parse import quote

from django.http import (
    FileResponse,
    HttpRequest,
    HttpResponse,
    HttpResponseRedirect,
)
from django.utils.cache import get_conditional_response
from django.utils.http import http_date, parse_http_date_safe, quote_etag

from upload import conf
from upload.ranges import Span, Unsatisfiable, asked_span
from upload.storage import local_path

CHUNK_BYTES = 256 << 10
SIGNED_SECONDS = 60
UNSHOWN = "application/octet-stream"
JUDGED_BY_NGINX = ("If-Match", "If-Unmodified-Since")
SHOWN = frozenset({"image/gif", "image/jpeg", "image/png", "image/webp"})
HARMLESS: dict[str, str] = {
    "X-Content-Type-Options": "nosniff",
    "Content-Security-Policy": "sandbox; default-src 'none'",
    "Cache-Control": "private, no-store",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Accept-Ranges": "bytes",
}


def is_shown(request: HttpRequest, file: Any) -> bool:
    """Return whether the file is shown in the page instead of saved."""
    return file.content_type in SHOWN and "download" not in request.GET


def disposition(name: str, *, shown: bool) -> str:
    """Return a Content-Disposition with both forms of RFC 6266; adds no header."""
    plain = "".join(
        char if char.isascii() and char.isprintable() and char not in '"\\%' else "_"
        for char in name
    )
    word = "inline" if shown else "attachment"
    return f"{word}; filename=\"{plain}\"; filename*=UTF-8''{quote(name, safe='')}"


def respond(request: HttpRequest, file: Any, alias: str) -> HttpResponse:
    """Return 200, 206, 302, 304, 412 or 416 for a file whose bytes are there."""
    etag = quote_etag(file.sha256) if file.sha256 else None
    modified = int(file.received_at.timestamp())
    unchanged = get_conditional_response(request, etag, modified)
    if unchanged is not None:
        return _dress(unchanged, request, file, etag)
    prefix = conf.accel_redirect_prefix()
    if (
        prefix
        and not _asks_nginx(request)
        and local_path(file.file_upload.storage, file.file_upload.name)
    ):
        response = _hand_over(f"{prefix}/{alias}/{file.file_upload.name}")
    elif request.method == "GET" and (url := _signed_url(request, file)):
        response = HttpResponseRedirect(url)
    else:
        response = _stream(request, file, etag, modified)
    return _dress(response, request, file, etag)


def _asks_nginx(request: HttpRequest) -> bool:
    """Return whether nginx would judge a condition once more, and wrongly.

    It compares both with what it knows of the file on the disk, which is no digest.
    """
    return any(name in request.headers for name in JUDGED_BY_NGINX)


def _dress(
    response: HttpResponse, request: HttpRequest, file: Any, etag: str | None
) -> HttpResponse:
    for name, value in HARMLESS.items():
        response.headers[name] = value
    if etag:
        response.headers["ETag"] = etag
    response.headers["Last-Modified"] = http_date(file.received_at.timestamp())
    if response.status_code in {200, 206}:
        shown = is_shown(request, file)
        response.headers["Content-Type"] = file.content_type if shown else UNSHOWN
        response.headers["Content-Disposition"] = disposition(file.name, shown=shown)
    return response


def _hand_over(path: str) -> HttpResponse:
    """Let nginx send the bytes; it answers ranges itself."""
    return HttpResponse(headers={"X-Accel-Redirect": quote(path)})


def _signed_url(request: HttpRequest, file: Any) -> str:
    """Return the remote storage's own URL for one opening, ``""`` where it signs none.

    It carries the same disposition and type, and leads to another origin than ours.
    """
    storage = getattr(file.file_upload.storage, "behind", file.file_upload.storage)
    if not getattr(storage, "querystring_auth", False):
        return ""
    shown = is_shown(request, file)
    told = {
        "ResponseContentDisposition": disposition(file.name, shown=shown),
        "ResponseContentType": file.content_type if shown else UNSHOWN,
        "ResponseCacheControl": HARMLESS["Cache-Control"],
    }
    url = storage.url(file.file_upload.name, parameters=told, expire=SIGNED_SECONDS)
    return str(url)


def _stream(
    request: HttpRequest, file: Any, etag: str | None, modified: int
) -> HttpResponse:
    try:
        span = _span(request, file.size, etag, modified)
    except Unsatisfiable:
        length = {"Content-Range": f"bytes */{file.size}"}
        return HttpResponse(status=416, headers=length)
    whole = span or Span(0, file.size - 1, file.size)
    headers = {"Content-Length": str(whole.length)}
    if span:
        headers["Content-Range"] = span.header
    status = 206 if span else 200
    if request.method == "HEAD":
        return HttpResponse(status=status, headers=headers)
    return _body(file, span, status, headers)


def _span(
    request: HttpRequest, size: int, etag: str | None, modified: int
) -> Span | None:
    """Return the asked span; a stale If-Range asks for the whole file."""
    condition = request.headers.get("If-Range", "")
    if condition and condition != etag and parse_http_date_safe(condition) != modified:
        return None
    return asked_span(request.headers.get("Range", ""), size)


def _body(
    file: Any, span: Span | None, status: int, headers: dict[str, str]
) -> HttpResponse:
    opened = file.file_upload.storage.open(file.file_upload.name, "rb")
    sent = opened if span is None else _Part(opened, span)
    response: Any = FileResponse(sent, status=status, headers=headers)
    response.block_size = CHUNK_BYTES
    return response


class _Part:
    """The bytes of a span, closed with their file even if nobody reads them."""

    def __init__(self, file: IO[bytes], span: Span) -> None:
        self._file, self._left = file, span.length
        self.close = file.close
        file.seek(span.start)

    def read(self, size: int) -> bytes:
        chunk = self._file.read(min(size, self._left))
        self._left -= len(chunk)
        return chunk
