"""The name policy: which names are accepted, and when two names are the same.

A user's name is shown and kept, never used as a path on our disks. Names are refused
or kept as they are; nothing is cut or replaced silently. ``NameRefused`` carries the
reason and a stable code.
"""

import re
import unicodedata
from collections.abc import Iterator

from django.utils.translation import gettext_lazy

from upload import conf
from upload.errors import NameRefused
from upload.wording import gettext as _

MAX_NAME_BYTES = 255
MAX_PATH_BYTES = 1024
MAX_PATH_LEVELS = 32
SHOWN_CHARACTERS = 60
ZERO_WIDTH_JOINER = "\u200d"
# Persian words and family emoji are not written right without them.
JOINERS = frozenset({"\u200c", ZERO_WIDTH_JOINER})

# Bidirectional controls can show "exe.pdf" as "fdp.exe"; zero-width characters and the
# byte order mark make two different names look the same.
REFUSED_CHARACTERS = (
    (
        "name_not_unicode",
        re.compile(r"[\ud800-\udfff]"),
        gettext_lazy(
            "“%(name)s” is not valid Unicode: it holds %(found)s. Rename the file and "
            "send it again."
        ),
    ),
    (
        "name_has_control_characters",
        re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]"),
        gettext_lazy(
            "“%(name)s” holds a control character or line break, %(found)s. Rename "
            "the file and send it again."
        ),
    ),
    (
        "name_has_invisible_characters",
        re.compile(r"[\u061c\u180e\u200b\u200e\u200f\u202a-\u202e\u2060-\u206f\ufeff]"),
        gettext_lazy(
            "“%(name)s” holds an invisible or direction-changing character, "
            "%(found)s. Rename the file and send it again."
        ),
    ),
)
COMPRESSED = "gz|bz2|xz|zst|lz|lz4"
EXTENSION = re.compile(
    rf"(\.tar\.\w{{1,4}}|\.[a-z][a-z0-9]{{0,4}}\.({COMPRESSED})|\.[^\W_]{{1,16}})"
    r"[. ]{0,8}\Z",
    re.IGNORECASE,
)


def clean_display_name(raw: str) -> str:
    """Return the base name of what a sender calls a file, unchanged otherwise.

    ``C:`` without a slash stays: it is part of a name on most systems.
    """
    name = _parts(raw)[-1]
    _require_clean(raw, name)
    return name


def clean_relative_path(raw: str) -> str:
    """Return a folder upload's path with its name, or ``""`` for a bare name.

    ``NameRefused`` for absolute paths, ``.`` and ``..``, and what is too long or deep.
    """
    parts = _parts(raw)
    if len(parts) == 1:
        return ""
    _require_short_path(raw, parts)
    if re.fullmatch(r"|\.{1,2}|[A-Za-z]:", parts[0]):
        raise NameRefused(raw, _not_relative(raw), "path_not_relative")
    for part in parts:
        _require_clean(raw, part)
    return "/".join(parts)


def _parts(raw: str) -> list[str]:
    return raw.replace("\\", "/").split("/")


def _require_short_path(raw: str, parts: list[str]) -> None:
    if len(parts) > MAX_PATH_LEVELS or _length(raw) > MAX_PATH_BYTES:
        reason = _(
            "The folder path “%(path)s” has %(levels)d levels and %(bytes)d bytes; at "
            "most %(max_levels)d levels and %(max_bytes)d bytes are accepted. Shorten "
            "the folder names and send it again."
        ) % {
            "path": _shown(raw),
            "levels": len(parts),
            "bytes": _length(raw),
            "max_levels": MAX_PATH_LEVELS,
            "max_bytes": MAX_PATH_BYTES,
        }
        raise NameRefused(raw, reason, "path_too_long")


def _not_relative(raw: str) -> str:
    return _(
        "The folder path “%(path)s” does not start in the folder that was sent. Send "
        "it as “folder/name”, without a drive, a leading slash or “..”."
    ) % {"path": _shown(raw)}


def _require_clean(raw: str, name: str) -> None:
    if name in {".", ".."} or not name.strip():
        raise NameRefused(raw, _no_name(raw), "name_empty")
    # First, so that a name of many megabytes is not searched.
    if _length(name) > MAX_NAME_BYTES:
        raise NameRefused(raw, _too_long(name), "name_too_long")
    for code, pattern, reason in REFUSED_CHARACTERS:
        if found := pattern.search(name):
            facts = {"name": _shown(name), "found": f"U+{ord(found.group()):04X}"}
            raise NameRefused(raw, reason % facts, code)


def _no_name(raw: str) -> str:
    return _(
        "“%(name)s” holds no usable file name. Give the file a name and send it again."
    ) % {"name": _shown(raw)}


def _too_long(name: str) -> str:
    return _(
        "“%(name)s” has %(bytes)d bytes; a name may have at most %(limit)d. Shorten it "
        "and send the file again."
    ) % {"name": _shown(name), "bytes": _length(name), "limit": MAX_NAME_BYTES}


def _length(text: str) -> int:
    return len(text.encode(errors="surrogatepass"))


def collision_key(name: str) -> str:
    """Return what is equal for names that some file system cannot tell apart."""
    if name.isascii():
        return name.lower()
    folded = unicodedata.normalize("NFKD", name).casefold()
    return unicodedata.normalize("NFC", folded)


def split_extension(name: str) -> tuple[str, str]:
    """Return stem and extension with its dot; ``.tar.gz`` is one extension."""
    match = EXTENSION.search(name)
    if match is None or not name[: match.start()].strip(". "):
        return name, ""
    return name[: match.start()], match.group()


def numbered(name: str, number: int, *, keep_extension: bool = True) -> str:
    """Return ``report (2).pdf``; the stem is shortened to stay within 255 bytes.

    Folders have no extension to keep: ``v1.2 (2)``.
    """
    stem, end = split_extension(name) if keep_extension else (name, "")
    tail = f" ({number}){end}"
    return shortened(stem, MAX_NAME_BYTES - len(tail.encode())) + tail


def shortened(text: str, limit_bytes: int) -> str:
    """Return the beginning that fits, ending where a letter as people see it ends."""
    if len(text.encode()) <= limit_bytes:
        return text
    end = len(text.encode()[:limit_bytes].decode(errors="ignore"))
    whole = end
    while whole and (_joins(text[whole]) or text[whole - 1] == ZERO_WIDTH_JOINER):
        whole -= 1
    return text[: whole or end]


def _joins(char: str) -> bool:
    """Tell whether ``char`` changes the one before it: accent, joiner, skin tone."""
    mark = unicodedata.category(char).startswith("M")
    return mark or char in JOINERS or "\U0001f3fb" <= char <= "\U0001f3ff"


def real_extension(name: str) -> str:
    """Return the last extension in lower case without its dot, or ``""``.

    Trailing dots and spaces do not count, because Windows drops them.
    """
    stem, _dot, last = name.rstrip(". ").rpartition(".")
    # Only ASCII: some other capitals become ASCII letters in lower case.
    return (last.lower() if last.isascii() else last) if stem.strip(". ") else ""


def require_accepted_extension(name: str) -> None:
    """Raise ``NameRefused`` unless ACCEPTED_FILE_FORMATS lists the extension."""
    extension = real_extension(name)
    accepted = list(_accepted_extensions())
    if extension in accepted:
        return
    facts = {
        "name": _shown(name),
        "extension": f".{_shown(extension)}",
        "accepted": ", ".join(accepted),
    }
    if extension:
        reason = _(
            "“%(name)s” ends in “%(extension)s”, which is not accepted. Send one of: "
            "%(accepted)s."
        )
    else:
        reason = _("“%(name)s” has no extension. Send one of: %(accepted)s.")
    raise NameRefused(name, reason % facts, "extension_not_accepted")


def _accepted_extensions() -> Iterator[str]:
    for extensions in conf.accepted_file_formats().values():
        yield from extensions


def printable(name: str) -> str:
    """Return the name on one line for logs, with what cannot be seen escaped.

    A backslash is doubled, so that no name can pretend to be an escaped other one.
    """
    return "".join(char if _is_visible(char) else _escaped(char) for char in name)


def _is_visible(char: str) -> bool:
    space = unicodedata.category(char) == "Zs"
    return char != "\\" and (char.isprintable() or space or char in JOINERS)


def _escaped(char: str) -> str:
    return char.encode("unicode_escape").decode()


def _shown(text: str) -> str:
    """Return the text for a message: escaped, and not endless."""
    more = "…" if len(text) > SHOWN_CHARACTERS else ""
    return printable(text[:SHOWN_CHARACTERS]) + more
