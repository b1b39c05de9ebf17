"""What a folder of a queued storage holds: on both sides, and by its rows."""

from collections.abc import Iterable
from contextlib import suppress
from typing import Any

from django.core.files.storage import Storage

from upload.queued_storage import identity, records


def listing(storage: Any, path: str) -> tuple[list[str], list[str]]:
    """Return folders and files; raise ``FileNotFoundError`` where no side has any.

    Every file stands under the name that opens it, once: what the remote calls
    otherwise does not appear by that name, and what is being deleted not at all.
    """
    folder = identity.plain_name(path) if path else ""
    lead = "" if folder in {"", ".", "/"} else f"{folder}/"
    sides = [_listed(side, path) for side in (storage.local, storage.remote)]
    (folders, here), (others, there) = [side or (set(), set()) for side in sides]
    folders |= others
    known = records.known_on_remote(storage, _below(lead, there))
    files = here | (there - _in(lead, known))
    files -= _in(lead, records.being_deleted(storage, _below(lead, files)))
    for name in records.names_below(storage.storage_key, lead):
        first, slash, _rest = name[len(lead) :].partition("/")
        (folders if slash else files).add(first)
    if sides == [None, None] and not folders and not files:
        raise FileNotFoundError(path)
    return sorted(folders), sorted(files)


def _listed(side: Storage, path: str) -> tuple[set[str], set[str]] | None:
    """Return what one side lists, None where it has no such folder or no lists."""
    with suppress(FileNotFoundError, NotADirectoryError, NotImplementedError):
        folders, files = side.listdir(path)
        return set(folders), set(files)
    return None


def _below(lead: str, names: Iterable[str]) -> list[str]:
    return [lead + name for name in names]


def _in(lead: str, names: Iterable[str]) -> set[str]:
    return {name[len(lead) :] for name in names}
