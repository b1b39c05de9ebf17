"""Read a multipart body as it comes, part by part, and skip nothing silently.

Django's own form parser drops parts that it cannot read, takes characters out of file
names, ends a file at a boundary in the middle of a line and copies each byte twice;
here what was sent arrives, or the body is refused. Knows no rows.
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.utils.http import parse_header_parameters
from django.utils.translation import gettext as _

from upload.errors import BodyRefused
from upload.needle import find

CHUNK_BYTES = 1 << 20
MAX_HEADER_BYTES = 16 << 10
BOUNDARY = re.compile(r"[0-9A-Za-z'()+_,./:=? -]{0,69}[0-9A-Za-z'()+_,./:=?-]")
HEADER_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
NEXT_PART, LAST_PART = b"\r\n", b"--"
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
    cut = _Cut(body.read, boundary)
    if not cut.has_begun():
        raise BodyRefused(_("The body does not begin with the boundary it names."))
    while (behind := cut.take(2)) == NEXT_PART:
        part = _part(cut)
        budget.take(part)
        yield part
        part.drain()
    if behind != LAST_PART:
        raise BodyRefused(
            _("The body ended before its last boundary. Send the files again."),
            "cut_off",
        )


class _Cut:
    """A body, cut at its boundaries as it comes."""

    def __init__(self, read: Callable[[int], bytes], boundary: bytes) -> None:
        self._read = read
        self._boundary = b"\r\n--" + boundary
        self._held = b""
        self._at = 0  # all before was given out

    def _more(self) -> bool:
        """Read on behind what is held; return False at the end of the body."""
        left, self._held = self._held[self._at :], b""  # not two chunks at a time
        more = self._read(CHUNK_BYTES)
        self._held, self._at = left + more if left else more, 0
        return bool(more)

    def take(self, count: int) -> bytes:
        """Return so many bytes, fewer at the end of the body."""
        while len(self._held) - self._at < count and self._more():
            pass
        taken = self._held[self._at : self._at + count]
        self._at += len(taken)
        return taken

    def has_begun(self) -> bool:
        """Return whether the body begins with a boundary, and take it."""
        start = self.take(2)
        if start == b"\r\n":
            start = self.take(2)
        return b"\r\n" + start + self.take(len(self._boundary) - 4) == self._boundary

    def headers(self) -> bytes:
        """Return the lines up to an empty one; its end is left, as ``content`` needs.

        Raise ``BodyRefused`` where there is none.
        """
        most = MAX_HEADER_BYTES + len(b"\r\n\r\n")
        while (end := self._held.find(b"\r\n\r\n", self._at)) < 0:
            if len(self._held) - self._at >= most or not self._more():
                break
        if not 0 <= end - self._at <= MAX_HEADER_BYTES:
            raise BodyRefused(
                _("A part has no end of headers within %(limit)d bytes.")
                % {"limit": MAX_HEADER_BYTES},
                "headers_unreadable",
            )
        block = self._held[self._at : end]
        if self._boundary in b"\r\n" + block:
            raise BodyRefused(
                _("A part ends before its headers do."), "headers_unreadable"
            )
        self._at = end + 2
        return block

    def content(self) -> Iterator[bytes]:
        """Yield what comes up to a boundary, which is taken, or to the end of the body.

        The boundary of an empty part may begin with the end of the headers' empty line.
        """
        skipped = len(b"\r\n")
        while (end := find(self._held, self._boundary, self._at)) < 0:
            start, sure = self._at + skipped, self._sure_end()
            if sure >= start:
                self._at, skipped = sure, 0
                if sure > start:
                    yield self._held[start:sure]
            if not self._more():
                rest = self.take(len(self._held))[skipped:]
                if rest:
                    yield rest
                return
        start, self._at = self._at + skipped, end + len(self._boundary)
        if end > start:
            yield self._held[start:end]

    def _sure_end(self) -> int:
        """Return where what may be the beginning of a boundary begins, or the end."""
        last = max(self._at, len(self._held) - len(self._boundary) + 1)
        begins = self._held.rfind(b"\r", last)
        may_be = begins >= 0 and self._boundary.startswith(self._held[begins:])
        return begins if may_be else len(self._held)


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


def _part(cut: _Cut) -> Part:
    headers = _headers(cut.headers())
    if headers.get("content-transfer-encoding", "").strip().lower() not in (
        PLAIN_ENCODINGS
    ):
        raise BodyRefused(_("Parts are sent as they are, without a transfer encoding."))
    field, filename = _disposition(headers.get("content-disposition", ""))
    return Part(field, filename, cut.content())


def _headers(block: bytes) -> dict[str, str]:
    """Return a part's headers by lower-case name; each line must be one."""
    return dict(_header(line) for line in block.split(b"\r\n"))


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
