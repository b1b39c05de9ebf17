"""Which bytes of a file a Range header asks for (RFC 9110, section 14)."""

import re
from dataclasses import dataclass

SINGLE = re.compile(r"bytes=\s*(\d{0,18})-(\d{0,18})\s*", re.ASCII)


@dataclass(frozen=True, slots=True)
class Span:
    """Bytes ``start`` to ``end`` of ``size``, both included."""

    start: int
    end: int
    size: int

    @property
    def length(self) -> int:
        return self.end - self.start + 1

    @property
    def header(self) -> str:
        return f"bytes {self.start}-{self.end}/{self.size}"


class Unsatisfiable(ValueError):
    """The range lies outside the file: 416."""


def asked_span(header: str, size: int) -> Span | None:
    """Return the span, or None where the whole file is to be sent.

    Several ranges, other units and nonsense are ignored, as the RFC allows. Raise
    ``Unsatisfiable`` for a range that begins past the end.
    """
    found = SINGLE.fullmatch(header.strip())
    if not found or not any(found.groups()):
        return None
    first, last = found.groups()
    if not first:
        return _suffix(int(last), size)
    start, end = int(first), min(int(last or size - 1), size - 1)
    if last and int(last) < start:
        return None
    if start >= size:
        raise Unsatisfiable
    return Span(start, end, size)


def _suffix(length: int, size: int) -> Span:
    if not length or not size:
        raise Unsatisfiable
    return Span(max(size - length, 0), size - 1, size)
