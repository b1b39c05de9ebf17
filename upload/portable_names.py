"""Names that every file system of a destination can hold, and their arrangement.

Characters that Windows, exFAT or POSIX refuse are percent-encoded, so the original can
be read back; the job's items map them. Only ``arrange`` makes names distinct.
"""

import re
import unicodedata
from collections import Counter
from collections.abc import Callable, Hashable, Iterable, Iterator
from operator import itemgetter

from upload.names import (
    MAX_NAME_BYTES,
    collision_key,
    numbered,
    shortened,
    split_extension,
)

# A "%" only where it would be read as one of ours.
ENCODED = re.compile(r'[\x00-\x1f\x7f-\x9f\ud800-\udfff<>:"/\\|?*]|%(?=[0-9A-Fa-f]{2})')
# What nothing below would change, unless it is a device's name.
PLAIN = re.compile(r"[0-9A-Za-z_-](?:[0-9A-Za-z_. -]{0,98}[0-9A-Za-z_-])?")
# Windows takes these for devices with any extension, also after spaces.
DEVICE = re.compile(
    r"(con|prn|aux|nul|com[0-9¹²³]|lpt[0-9¹²³]|conin\$|conout\$) *(\.|$)", re.IGNORECASE
)
NAMELESS = "_"

# A file's key, and its path still to be arranged.
type Source[Key] = tuple[Key, list[str]]
# Name in one folder, whether it is a folder, and the key of its (first) file.
type Entry[Key] = tuple[str, bool, Key]
# Makes one path part legal.
type Segment = Callable[[str], str]


def portable_segment(name: str) -> str:
    """Return one path part that is legal everywhere, in NFC, of at most 255 bytes."""
    if PLAIN.fullmatch(name) and not DEVICE.match(name):
        return name
    safe = ENCODED.sub(_percent, unicodedata.normalize("NFC", name))
    if DEVICE.match(safe):
        safe = f"%{ord(safe[0]):02X}{safe[1:]}"
    safe = re.sub(r"^ | $|\.$", _percent, safe)
    return _fitted(safe) or NAMELESS


def _percent(match: re.Match[str]) -> str:
    found = match.group().encode(errors="surrogatepass")
    return "".join(f"%{byte:02X}" for byte in found)


def _fitted(name: str) -> str:
    if len(name.encode()) <= MAX_NAME_BYTES:
        return name
    stem, end = split_extension(name)
    short = shortened(stem, MAX_NAME_BYTES - len(end.encode()))
    # Half an escape, or a dot or space that has become the last.
    short = re.sub(r"%[0-9A-F]?$", "", short)
    return short + end if end else short.rstrip(". ")


def arrange[Key: Hashable](
    paths: Iterable[tuple[Key, str]], segment: Segment = portable_segment
) -> dict[Key, str]:
    """Give each file a target path so that no two collide on any file system.

    Deterministic whatever the order. Of the files and folders of one folder that
    collide, the first by path (then by key) keeps its name, the others are numbered;
    folders spelled alike are one folder. ``segment`` makes each path part legal. Keys
    are of a type that can be ordered.
    """
    ordered = sorted(paths, key=itemgetter(1, 0))
    sources = [(key, path.split("/")) for key, path in ordered]
    return dict(_below("", sources, segment))


def _below[Key](
    parent: str, sources: list[Source[Key]], segment: Segment
) -> Iterator[tuple[Key, str]]:
    """Yield key and target of each source, all of which stand in ``parent``."""
    folders: dict[str, list[Source[Key]]] = {}
    entries: list[Entry[Key]] = []
    for key, (name, *rest) in sources:
        if not rest or name not in folders:
            entries.append((name, bool(rest), key))
        if rest:
            folders.setdefault(name, []).append((key, rest))
    targets = _distinct(entries, segment)
    for (name, is_folder, key), target in zip(entries, targets, strict=True):
        if is_folder:
            yield from _below(f"{parent}{target}/", folders[name], segment)
        else:
            yield key, parent + target


def _distinct[Key](entries: list[Entry[Key]], segment: Segment) -> list[str]:
    """Return a target name for each entry; the first of each name goes first."""
    targets = [segment(name) for name, _is_folder, _key in entries]
    keys = [collision_key(target) for target in targets]
    owners: dict[str, int] = {}
    for place, key in enumerate(keys):
        owners.setdefault(key, place)
    tried: Counter[str] = Counter()
    for place, (key, target) in enumerate(zip(keys, targets, strict=True)):
        if owners[key] != place:
            targets[place] = _numbered_free(target, entries[place][1], owners, tried)
            owners[collision_key(targets[place])] = place
    return targets


def _numbered_free(
    target: str, is_folder: bool, owners: dict[str, int], tried: Counter[str]
) -> str:
    """Return ``target`` with the first free number; ``tried`` keeps it from 1 on."""
    while True:
        tried[target] += 1
        name = numbered(target, tried[target] + 1, keep_extension=not is_folder)
        if collision_key(name) not in owners:
            return name
