"""Names that every file system of a destination can hold, and their arrangement.

Characters that Windows, exFAT or POSIX refuse are percent-encoded, so the original
can be read back; the job's items map them.
"""

import re
import unicodedata
from collections.abc import Hashable, Iterable

from upload.names import MAX_NAME_BYTES, collision_key, numbered

REFUSED = re.compile(r'[\x00-\x1f\x7f<>:"/\\|?*]')
DEVICE = re.compile(r"(?i)^(con|prn|aux|nul|com[0-9¹²³]|lpt[0-9¹²³])(\.|$)")


def portable_segment(name: str) -> str:
    """Return one path part that is legal everywhere, in NFC, of at most 255 bytes."""
    safe = unicodedata.normalize("NFC", name).replace("%", "%25")
    safe = REFUSED.sub(lambda match: _percent(match.group()), safe)
    if DEVICE.match(safe):
        safe = _percent(safe[0]) + safe[1:]
    if safe.endswith((".", " ")):
        safe = safe[:-1] + _percent(safe[-1])
    if safe.startswith(" "):
        safe = _percent(" ") + safe[1:]
    return _shortened(safe)


def _percent(text: str) -> str:
    return "".join(f"%{byte:02X}" for byte in text.encode())


def _shortened(name: str) -> str:
    while len(name.encode()) > MAX_NAME_BYTES:
        stem, dot, end = name.rpartition(".")
        name = stem[:-1] + dot + end if stem else name[:-1]
    return name


def arrange[Key: Hashable](paths: Iterable[tuple[Key, str]]) -> dict[Key, str]:
    """Give each file a target path so that no two collide on any file system.

    Deterministic whatever the order. Of those that collide the first by path keeps
    its name, the others are numbered.
    """
    taken: dict[str, str] = {}  # collision key of a path → "file" or its folder's path
    arranged: dict[Key, str] = {}
    for key, path in sorted(paths, key=lambda pair: (pair[1], str(pair[0]))):
        *folders, name = [portable_segment(part) for part in path.split("/")]
        parent = ""
        for folder in folders:
            parent = _claim(taken, parent, folder, as_folder=True)
        arranged[key] = _claim(taken, parent, name, as_folder=False)
    return arranged


def _claim(taken: dict[str, str], parent: str, name: str, *, as_folder: bool) -> str:
    """Return a free path below ``parent``; folders of one spelling are shared."""
    number = 1
    while True:
        wanted = name if number == 1 else numbered(name, number)
        path = f"{parent}/{wanted}" if parent else wanted
        holder = taken.get(collision_key(path))
        if holder is None:
            taken[collision_key(path)] = f"folder {path}" if as_folder else "file"
            return path
        if as_folder and holder == f"folder {path}":
            return path
        number += 1
