"""The name policy: which names are accepted, and when two names are the same.

A user's name is shown and kept, never used as a path on our disks. Names are refused
or kept as they are; nothing is cut or replaced silently.
"""

import unicodedata

from django.utils.translation import gettext as _

from upload import conf
from upload.errors import NameRefused

MAX_NAME_BYTES = 255
MAX_PATH_BYTES = 1024
MAX_PATH_LEVELS = 32
# Bidirectional controls can show "exe.pdf" as "fdp.exe"; zero-width characters and the
# byte order mark make two different names look the same.
INVISIBLE = frozenset(
    "\u061c\u200b\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\ufeff"
)
LINE_BREAKS = frozenset("\u2028\u2029")


def clean_display_name(raw: str) -> str:
    """Return the base name of what a sender calls a file, unchanged otherwise.

    Raise ``NameRefused`` with the reason.
    """
    name = raw.replace("\\", "/").rsplit("/", 1)[-1]
    if len(name) > 1 and name[1] == ":" and name[0].isascii() and name[0].isalpha():
        name = name[2:]
    _require_plain(raw, name)
    _require_clean(raw, name)
    return name


def _require_plain(raw: str, name: str) -> None:
    if name in {"", ".", ".."} or not name.strip():
        raise NameRefused(
            raw,
            _("The file has no usable name. Give it a name and send it again."),
            "name_empty",
        )


def _require_clean(raw: str, name: str) -> None:
    if any(0xD800 <= ord(char) <= 0xDFFF for char in name):
        raise NameRefused(
            raw,
            _("“%(name)s” is not valid Unicode. Rename the file and send it again.")
            % {"name": printable(name)},
            "name_not_unicode",
        )
    if any(unicodedata.category(c) == "Cc" or c in LINE_BREAKS for c in name):
        raise NameRefused(
            raw,
            _("“%(name)s” holds control characters or line breaks. Rename the file.")
            % {"name": printable(name)},
            "name_has_control_characters",
        )
    if INVISIBLE & set(name):
        raise NameRefused(
            raw,
            _("“%(name)s” holds invisible or direction-changing characters. Rename it.")
            % {"name": printable(name)},
            "name_has_invisible_characters",
        )
    if len(name.encode()) > MAX_NAME_BYTES:
        raise NameRefused(
            raw,
            _("“%(name)s…” is longer than %(limit)d bytes. Shorten the name.")
            % {"name": printable(name[:40]), "limit": MAX_NAME_BYTES},
            "name_too_long",
        )


def clean_relative_path(raw: str) -> str:
    """Return a folder upload's path, each part clean, or ``""`` for a bare name.

    Raise ``NameRefused`` for ``..``, absolute paths, and what is too long or deep.
    """
    parts = raw.replace("\\", "/").split("/")
    if len(parts) == 1:
        return ""
    for part in parts:
        _require_plain(raw, part)
        _require_clean(raw, part)
    if len(parts) > MAX_PATH_LEVELS or len(raw.encode()) > MAX_PATH_BYTES:
        raise NameRefused(
            raw,
            _("The folder path of “%(name)s” is too long or too deep.")
            % {"name": printable(parts[-1])},
            "path_too_long",
        )
    return "/".join(parts)


def collision_key(name: str) -> str:
    """Return what is equal for names that some file system cannot tell apart."""
    folded = unicodedata.normalize("NFKD", name).casefold()
    return unicodedata.normalize("NFC", folded)


def numbered(name: str, number: int) -> str:
    """Return ``report (2).pdf``; the stem is shortened to stay within 255 bytes."""
    stem, end = split_extension(name)
    tail = f" ({number}){end}"
    while len((stem + tail).encode()) > MAX_NAME_BYTES and stem:
        stem = stem[:-1]
        while stem and unicodedata.combining(stem[-1]):
            stem = stem[:-1]
    return stem + tail


def split_extension(name: str) -> tuple[str, str]:
    """Return stem and extension with its dot; ``.tar.gz`` is one extension."""
    stem, dot, last = name.rpartition(".")
    if not stem or not dot or len(last) > 16:
        return name, ""
    if stem.lower().endswith(".tar") and len(stem) > 4:
        return stem[:-4], f"{stem[-4:]}.{last}"
    return stem, f".{last}"


def real_extension(name: str) -> str:
    """Return the last extension in lower case without its dot, or ``""``."""
    _stem, dot, last = name.rstrip(". ").rpartition(".")
    return last.lower() if dot else ""


def require_accepted_extension(name: str) -> None:
    """Raise ``NameRefused`` unless ACCEPTED_FILE_FORMATS lists the extension."""
    accepted = [e for group in conf.accepted_file_formats().values() for e in group]
    if real_extension(name) not in accepted:
        raise NameRefused(
            name,
            _("“%(name)s” is of a kind that is not accepted. Accepted: %(accepted)s.")
            % {"name": printable(name), "accepted": ", ".join(accepted)},
            "extension_not_accepted",
        )


def printable(name: str) -> str:
    """Return the name on one line for logs, with what is not visible escaped."""
    return "".join(
        char
        if char.isprintable() and char not in INVISIBLE
        else char.encode("unicode_escape").decode()
        for char in name
    )
