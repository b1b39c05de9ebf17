"""Tell a file's content type by its first bytes, never by what a sender says."""

import puremagic
from django.utils.functional import cached_property

from upload.names import real_extension

HEAD_BYTES = 8192
EMPTY = "application/x-empty"
UNKNOWN = "application/octet-stream"
TEXT_BY_EXTENSION = {"csv": "text/csv", "html": "text/html", "htm": "text/html"}
OOXML = "application/vnd.openxmlformats-officedocument."
ZIP_MEMBERS = {
    b"word/": f"{OOXML}wordprocessingml.document",
    b"xl/": f"{OOXML}spreadsheetml.sheet",
    b"ppt/": f"{OOXML}presentationml.presentation",
}


class _Magic:
    """libmagic where it is present."""

    @cached_property
    def from_buffer(self):  # type: ignore[no-untyped-def]
        try:
            import magic
        except ImportError:
            return None
        return magic.Magic(mime=True).from_buffer


_libmagic = _Magic()


def sniff(head: bytes, name: str) -> str:
    """Return the content type of a file that begins with ``head``."""
    head = head[:HEAD_BYTES]
    if not head:
        return EMPTY
    if head.startswith(b"PK\x03\x04"):
        return _in_zip(head)
    found = _by_library(head)
    if found == "text/plain":
        return TEXT_BY_EXTENSION.get(real_extension(name), found)
    return found


def _in_zip(head: bytes) -> str:
    for member, content_type in ZIP_MEMBERS.items():
        if member in head:
            return content_type
    if head[30:38] == b"mimetype":
        return head[38:120].split(b"PK")[0].decode("ascii", "replace")
    return "application/zip"


def _by_library(head: bytes) -> str:
    if _libmagic.from_buffer is not None:
        return str(_libmagic.from_buffer(head))
    try:
        return puremagic.from_string(head, mime=True) or UNKNOWN
    except (puremagic.PureError, ValueError):
        return "text/plain" if _is_text(head) else UNKNOWN


def _is_text(head: bytes) -> bool:
    try:
        head[:-4].decode() if len(head) == HEAD_BYTES else head.decode()
    except UnicodeDecodeError:
        return False
    return b"\0" not in head
