"""Tell a file's content type by its first bytes, never by what a sender says.

The name decides only within a family that the bytes have shown: which Office format
an archive is, whether text is a table. Nothing beyond ``HEAD_BYTES`` is looked at and
nothing is unpacked.
"""

import re
from collections.abc import Callable, Iterator
from functools import cache

import puremagic

from upload.names import real_extension

HEAD_BYTES = 8192
EMPTY = "application/x-empty"
UNKNOWN = "application/octet-stream"
ZIP = "application/zip"
OLE = "application/x-ole-storage"
OFFICE = "application/vnd.openxmlformats-officedocument."

TEXT_BY_EXTENSION = {
    "csv": "text/csv",
    "htm": "text/html",
    "html": "text/html",
    "js": "text/javascript",
    "tsv": "text/tab-separated-values",
}
OLE_BY_EXTENSION = {
    "doc": "application/msword",
    "ppt": "application/vnd.ms-powerpoint",
    "xls": "application/vnd.ms-excel",
}
OFFICE_FOLDERS = {
    "docx": (b"word/", f"{OFFICE}wordprocessingml.document"),
    "pptx": (b"ppt/", f"{OFFICE}presentationml.presentation"),
    "xlsx": (b"xl/", f"{OFFICE}spreadsheetml.sheet"),
}
# What the first file in an Office document may be; each writer has its own order.
OFFICE_BEGINNINGS = (
    *(b"[Content_Types].xml", b"_rels/", b"docProps/", b"customXml/"),
    *(folder for folder, _type in OFFICE_FOLDERS.values()),
)
NAMED_IN_ZIP = re.compile(
    rb"application/(vnd\.oasis\.opendocument\.[a-z-]{1,40}|epub\+zip)(?=PK|\Z)"
)
ZIP_MEMBER = re.compile(rb"PK\x03\x04.{22}(..)..", re.DOTALL)
NOT_IN_TEXT = re.compile(rb"[\x00-\x08\x0b\x0e-\x1a\x1c-\x1f\x7f]")
PROGRAMS = (b"MZ", b"\x7fELF", b"\xcf\xfa\xed\xfe", b"\xfe\xed\xfa\xcf")
UTF_16_MARKS = (b"\xff\xfe", b"\xfe\xff")


def sniff(head: bytes, name: str) -> str:
    """Return the content type of a file that begins with ``head``."""
    head = head[:HEAD_BYTES]
    if not head:
        return EMPTY
    extension = real_extension(name)
    if head.startswith((b"PK\x03\x04", b"PK\x05\x06")):
        return _in_zip(head, extension)
    if head.startswith(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"):
        return OLE_BY_EXTENSION.get(extension, OLE)
    return _as_text(_by_library(head), head, extension)


def _in_zip(head: bytes, extension: str) -> str:
    members = list(_member_names(head))
    if members[:1] == [b"mimetype"]:
        named = NAMED_IN_ZIP.match(head, 38)
        return named[0].decode() if named else ZIP
    is_office = extension in OFFICE_FOLDERS or b"[Content_Types].xml" in members
    if is_office and members and members[0].startswith(OFFICE_BEGINNINGS):
        return _office_type(members, extension)
    return ZIP


def _office_type(members: list[bytes], extension: str) -> str:
    """Return the format whose folder is seen, or what the extension says if none is."""
    for folder, content_type in OFFICE_FOLDERS.values():
        if any(member.startswith(folder) for member in members):
            return content_type
    return OFFICE_FOLDERS[extension][1] if extension in OFFICE_FOLDERS else ZIP


def _member_names(head: bytes) -> Iterator[bytes]:
    """Yield the names of the files in an archive whose headers lie in ``head``."""
    for match in ZIP_MEMBER.finditer(head):
        length = int.from_bytes(match[1], "little")
        yield head[match.end() : match.end() + length]


def _as_text(found: str, head: bytes, extension: str) -> str:
    """Let the extension choose among kinds of text; HTML stays HTML in any name."""
    if found in {UNKNOWN, ""}:
        found = "text/plain" if _is_text(head) else UNKNOWN
    is_plain = found.startswith("text/") and found not in {"text/html", "text/rtf"}
    if is_plain and extension in TEXT_BY_EXTENSION:
        return TEXT_BY_EXTENSION[extension]
    return found


def _is_text(head: bytes) -> bool:
    """Tell text in any encoding that keeps ASCII control characters, or UTF-16."""
    return head.startswith(UTF_16_MARKS) or not NOT_IN_TEXT.search(head)


def _by_library(head: bytes) -> str:
    libmagic = _libmagic()
    return libmagic(head) if libmagic else _by_puremagic(head)


@cache
def _libmagic() -> Callable[[bytes], str] | None:
    """Return libmagic's question, or ``None`` where the library is not installed."""
    try:
        import magic
    except ImportError:
        return None
    ask: Callable[[bytes], str] = magic.Magic(mime=True).from_buffer
    return ask


def _by_puremagic(head: bytes) -> str:
    if head.startswith(PROGRAMS) and not _is_text(head):
        return "application/x-executable"
    try:
        return puremagic.from_string(head, mime=True)
    except (puremagic.PureError, ValueError):
        return UNKNOWN


# Types that fit an extension, as patterns: libraries spell some in several ways.
OFFICE_OR_ENCRYPTED = rf"{OLE}|application/(encrypted|CDFV2.*)"
TEXT = (
    rf"text/.+|message/.+|{UNKNOWN}"
    r"|application/(csv|json|javascript|xml|x-ndjson|x-wine-extension-ini)"
)
FITS = {
    "csv": TEXT,
    "doc": rf"application/(msword|rtf)|text/rtf|{OFFICE_OR_ENCRYPTED}",
    "docx": rf"{OFFICE}wordprocessingml\..+|{OFFICE_OR_ENCRYPTED}",
    "flac": r"audio/(x-)?flac",
    "gif": r"image/gif",
    "htm": r"text/.+|application/xhtml\+xml",
    "html": r"text/.+|application/xhtml\+xml",
    "jpeg": r"image/jpeg",
    "jpg": r"image/jpeg",
    "mkv": r"video/(x-)?(matroska|webm)",
    "mov": rf"video/(quicktime|mp4)|{UNKNOWN}",
    "mp3": rf"audio/.+|{UNKNOWN}",
    "mp4": rf"(video|audio)/(mp4|x-m4.|quicktime|3gpp)|{UNKNOWN}",
    "ods": r"application/vnd\.oasis\.opendocument\.spreadsheet.*",
    "odt": r"application/vnd\.oasis\.opendocument\.text.*",
    "pdf": r"application/pdf",
    "png": r"image/png",
    "rtf": r"(text|application)/rtf",
    "svg": r"image/svg\+xml",
    "tif": r"image/tiff",
    "tiff": r"image/tiff",
    "txt": TEXT,
    "wav": r"audio/(x-wav|wav|wave|x-wave|vnd\.wave)",
    "xls": rf"application/(vnd\.ms-excel|msword)|{OFFICE_OR_ENCRYPTED}",
    "xlsx": rf"{OFFICE}spreadsheetml\..+|{OFFICE_OR_ENCRYPTED}",
    "zip": rf"{ZIP}|{OFFICE}.+|application/(vnd\.oasis\..+|epub\+zip)",
}
# Refused under every extension that is not made for them.
RUNS = re.compile(
    r"application/(x-dosexec|x-(pie-)?executable|x-sharedlib|x-mach-binary|x-elf"
    r"|x-msdownload|vnd\.microsoft\.portable-executable|x-msi|x-ms-shortcut"
    r"|java-archive|(x-)?javascript|xhtml\+xml|x-php|x-sh.*)"
    r"|text/(html|javascript|x-(script|shellscript|python|perl|php|ruby|msdos).*)"
    r"|image/svg\+xml"
)


def contradicts(content_type: str, extension: str) -> bool:
    """Tell whether what the bytes are cannot be what the extension says.

    An empty file contradicts nothing. Under an extension without a row above only
    what can run, in a browser too, does.
    """
    if content_type == EMPTY:
        return False
    fitting = FITS.get(extension)
    if fitting is None:
        return RUNS.fullmatch(content_type) is not None
    return re.fullmatch(fitting, content_type) is None
