"""Read a multipart body as it comes, part by part, and skip nothing silently.

Django's own form parser drops parts that it cannot read and takes characters out of
file names; here a name arrives as it was sent or the body is refused. Knows no rows.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.http.multipartparser import ChunkIter, InterBoundaryIter, LazyStream
from django.utils.http import parse_header_parameters
from django.utils.translation import gettext as _

from upload.errors import BodyRefused

CHUNK_BYTES = 1 << 20
MAX_HEADER_BYTES = 16 << 10
BOUNDARY = re.compile(r"[0-9A-Za-z'()+_,./:=? -]{0,69}[0-9A-Za-z'()+_,./:=?-]")
HEADER_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
PLAIN_ENCODINGS = {"", "7bit", "8bit", "binary"}


@dataclass(frozen=True, slots=True)
class Part:
    """One part. ``filename`` is None for a plain field; ``chunks`` come once."""

    field: str
    filename: str | None
    chunks: Iterator[bytes]

    def drain(self) -> None:
        """Read to the end of the part, so that the next one can be found."""
        for _chunk in self.chunks:
            pass


def boundary_of(content_type: str) -> bytes:
    """Return the boundary that a Content-Type names; raise ``BodyRefused``."""
    try:
        kind, parameters = parse_header_parameters(content_type)
    except ValueError:
        kind, parameters = "", {}
    if kind != "multipart/form-data":
        raise BodyRefused(
            _("Files are sent as multipart/form-data, in parts called “file”."),
            "not_multipart",
        )
    boundary = parameters.get("boundary", "")
    if not BOUNDARY.fullmatch(boundary):
        raise BodyRefused(_("The Content-Type of the request has no usable boundary."))
    return str(boundary).encode("ascii")


def read_parts(body: Any, boundary: bytes) -> Iterator[Part]:
    """Yield the parts of ``body``, of which each must be read before the next.

    Raise ``BodyRefused`` for a body that is cut off or holds what is no part, and for
    more parts than DATA_UPLOAD_MAX_NUMBER_FIELDS and …_FILES allow.
    """
    budget = _Budget()
    streams = iter(
        InterBoundaryIter(LazyStream(ChunkIter(body, CHUNK_BYTES)), b"--" + boundary)
    )
    _require_empty_start(streams)
    for stream in streams:
        start = stream.read(2)
        if start == b"--":
            return
        if start != b"\r\n":
            break
        part = _part(stream)
        budget.take(part)
        yield part
        part.drain()
    raise BodyRefused(
        _("The body ended before its last boundary. Send the files again."), "cut_off"
    )


class _Budget:
    """Counts parts against the limits."""

    def __init__(self) -> None:
        self.fields = settings.DATA_UPLOAD_MAX_NUMBER_FIELDS
        self.files = settings.DATA_UPLOAD_MAX_NUMBER_FILES

    def take(self, part: Part) -> None:
        if part.filename is None:
            self.fields -= 1
        else:
            self.files -= 1
        if self.fields < 0 or self.files < 0:
            raise BodyRefused(
                _("One request carries at most %(files)d files and %(fields)d fields.")
                % {
                    "files": settings.DATA_UPLOAD_MAX_NUMBER_FILES,
                    "fields": settings.DATA_UPLOAD_MAX_NUMBER_FIELDS,
                },
                "too_many_parts",
            )


def _require_empty_start(streams: Iterator[Any]) -> None:
    first = next(streams, None)
    if first is None or first.read(1):
        raise BodyRefused(_("The body does not begin with the boundary it names."))


def _part(stream: Any) -> Part:
    headers = _headers(stream)
    if headers.get("content-transfer-encoding", "").strip().lower() not in (
        PLAIN_ENCODINGS
    ):
        raise BodyRefused(_("Parts are sent as they are, without a transfer encoding."))
    field, filename = _disposition(headers.get("content-disposition", ""))
    return Part(field, filename, iter(stream))


def _headers(stream: Any) -> dict[str, str]:
    """Return a part's headers by lower-case name; each line must be one."""
    block = stream.read(MAX_HEADER_BYTES)
    end = block.find(b"\r\n\r\n")
    if end < 0:
        raise BodyRefused(
            _("A part has no end of headers within %(limit)d bytes.")
            % {"limit": MAX_HEADER_BYTES},
            "headers_unreadable",
        )
    stream.unget(block[end + 4 :])
    return dict(_header(line) for line in block[:end].split(b"\r\n"))


def _header(line: bytes) -> tuple[str, str]:
    try:
        name, colon, value = line.decode().partition(":")
    except UnicodeDecodeError:
        name = colon = value = ""
    if not colon or not HEADER_NAME.fullmatch(name):
        raise BodyRefused(
            _(
                "A part's headers are not valid: names of files are UTF-8, on one "
                "line. Rename the file and send it again."
            ),
            "headers_unreadable",
        )
    return name.lower(), value


def _disposition(value: str) -> tuple[str, str | None]:
    """Return the name of the field and of the file, if it is one."""
    try:
        kind, parameters = parse_header_parameters(value)
    except ValueError:
        kind, parameters = "", {}
    if kind.strip() != "form-data" or not parameters.get("name"):
        raise BodyRefused(
            _("Each part needs “Content-Disposition: form-data” and a name."),
            "headers_unreadable",
        )
    return str(parameters["name"]), parameters.get("filename")


def read_text(part: Part, room_bytes: int) -> str:
    """Return a field's text; raise ``BodyRefused`` past ``room_bytes``."""
    found = bytearray()
    for chunk in part.chunks:
        found += chunk
        if len(found) > room_bytes:
            raise BodyRefused(
                _("The fields of a request are longer than %(limit)d bytes in all.")
                % {"limit": settings.DATA_UPLOAD_MAX_MEMORY_SIZE},
                "fields_too_long",
            )
    try:
        return found.decode()
    except UnicodeDecodeError as error:
        raise BodyRefused(
            _("The field “%(name)s” is not valid UTF-8.") % {"name": part.field},
            "headers_unreadable",
        ) from error
