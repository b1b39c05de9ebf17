"""What the remote storages share: plain names, streamed reading, no replacing.

A subclass says how one place is asked: ``_stat``, ``_read``, ``_put``, ``_remove`` and
``_list``. Those get names that were checked, raise ``OSError`` and its kinds only, and
never show a secret. Nothing has a file's name before all its bytes are there.
"""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime
from posixpath import join, normpath, split, splitext
from typing import Any
from urllib.parse import urljoin

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured, SuspiciousFileOperation
from django.core.files.base import File
from django.core.files.storage import Storage
from django.utils.encoding import filepath_to_uri
from django.utils.timezone import is_naive, make_naive
from django.utils.translation import gettext as _

from upload.copy_engine import CHUNK_BYTES, Receipt, verify
from upload.errors import DestinationRefused, UnsafePath
from upload.queued_storage.remotes.reading import opened
from upload.targets.base import OWN_NAMES, unreserved

# More writers than this at one name are no accident.
MOST_NAMES_TRIED = 20


@dataclass(frozen=True, slots=True)
class Facts:
    """What a place tells of a file; ``key`` is what it calls the file by itself."""

    size_bytes: int
    modified: datetime | None = None
    key: Any = None
    digest: str = ""


class RemoteStorage(Storage):
    """A Django storage of whole files that are written once and never changed.

    ``verifies_writes``: the place itself compares digests, or the class reads back, so
    that a save that returned needs no further look.
    """

    verifies_writes = False

    def problem(self) -> str:
        """Return what the setting up lacks, ``""`` if nothing; asks no server."""
        return ""

    def _require_complete(self) -> None:
        if problem := self.problem():
            raise ImproperlyConfigured(problem)

    def _stat(self, path: str) -> Facts:
        """Raise ``FileNotFoundError``; ``IsADirectoryError`` for what is no file."""
        raise NotImplementedError

    def _read(self, path: str, facts: Facts, start: int) -> Iterator[bytes]:
        """Yield the bytes from ``start``; close what was opened when closed."""
        raise NotImplementedError

    def _put(self, path: str, chunks: Iterable[bytes], content: "File[Any]") -> None:
        """Write a file; raise ``FileExistsError`` where the name is taken."""
        raise NotImplementedError

    def _remove(self, path: str) -> None:
        """Delete a file; may raise ``FileNotFoundError``."""
        raise NotImplementedError

    def _list(self, path: str) -> tuple[list[str], list[str]]:
        """Return folders and files; ``path`` is ``""`` for the whole storage."""
        raise NotImplementedError

    def _open(self, name: str, mode: str = "rb") -> "File[Any]":
        if set(mode) - set("rbt"):
            raise ValueError(
                _("A file on another machine is opened to read only; use save().")
            )
        path = plain(name)
        facts = self._stat(path)
        return opened(
            (name, mode),
            facts.size_bytes,
            lambda start: self._read(path, facts, start),
        )

    def _save(self, name: str, content: "File[Any]") -> str:
        path = wanted = plain(name)
        for _try in range(MOST_NAMES_TRIED):
            try:
                self._put(path, byte_chunks(content), content)
            except FileExistsError:
                # Another writer was first, or something stands in a folder's place.
                if not self.exists(path) or not _rewinds(content):
                    raise
                path = self._other_name(wanted)
            else:
                return path
        raise FileExistsError(path)

    def _other_name(self, wanted: str) -> str:
        folder, name = split(wanted)
        other = join(folder, self.get_alternative_name(*splitext(name)))
        return self.get_available_name(other)

    def exists(self, name: str) -> bool:
        try:
            self._stat(plain(name))
        except FileNotFoundError:
            return False
        except IsADirectoryError:
            return True
        return True

    def size(self, name: str) -> int:
        return self._stat(plain(name)).size_bytes

    def delete(self, name: str) -> None:
        with suppress(FileNotFoundError):
            self._remove(plain(name))

    def listdir(self, path: str) -> tuple[list[str], list[str]]:
        folders, files = self._list("" if path in {"", ".", "/"} else plain(path))
        return sorted(folders), [
            n for n in sorted(files) if not n.startswith(OWN_NAMES)
        ]

    def get_modified_time(self, name: str) -> datetime:
        modified = self._stat(plain(name)).modified
        if modified is None:
            return super().get_modified_time(name)
        if settings.USE_TZ or is_naive(modified):
            return modified
        return make_naive(modified)


class AddressedStorage(RemoteStorage):
    """A remote storage whose files some web server shows below ``base_url``."""

    base_url: str | None = None

    def url(self, name: str | None) -> str:
        if self.base_url is None or name is None:
            return super().url(name)
        base = self.base_url if self.base_url.endswith("/") else f"{self.base_url}/"
        return urljoin(base, filepath_to_uri(name).lstrip("/"))


def plain(name: str) -> str:
    """Return a name as a relative path; raise ``SuspiciousFileOperation``."""
    path = normpath(str(name).replace("\\", "/"))
    try:
        if any(character < " " or character == "\x7f" for character in path):
            raise UnsafePath(repr(name))
        unreserved(path)
    except UnsafePath as error:
        raise SuspiciousFileOperation(str(error)) from error
    return path


def byte_chunks(content: "File[Any]") -> Iterator[bytes]:
    for chunk in content.chunks(CHUNK_BYTES):
        yield chunk.encode() if isinstance(chunk, str) else bytes(chunk)


def _rewinds(content: "File[Any]") -> bool:
    seekable = getattr(content, "seekable", None)
    return seekable is not None and bool(seekable())


def require_size(path: str, sent_bytes: int, held_bytes: int | None) -> None:
    """Raise ``OSError`` unless the place holds as many bytes as were sent."""
    verify(path, Receipt(sent_bytes, ""), Receipt(held_bytes or 0, ""))


def require_digest(path: str, held: str, sent: str) -> None:
    """Raise ``OSError`` where the place tells another digest; ``""`` is none told."""
    if held and held != sent:
        raise OSError(
            _("%(name)s: the bytes are not those that were sent; read it again.")
            % {"name": path}
        )


@contextmanager
def as_os_errors() -> Iterator[None]:
    """Turn the refusals of targets into what callers of a storage expect."""
    try:
        yield
    except DestinationRefused as error:
        raise PermissionError(str(error)) from error
    except UnsafePath as error:
        raise SuspiciousFileOperation(str(error)) from error


def lacking(extra: str) -> ImproperlyConfigured:
    """Return the error for a storage whose optional dependency is not installed."""
    return ImproperlyConfigured(
        _("Install the extra “%(extra)s”; docs/destinations.md says how.")
        % {"extra": extra}
    )


def missing_option(option: str, setting: str) -> str:
    """Return the problem of an option that django-storages takes for optional."""
    return _("The option %(option)s is missing, and so is the setting %(setting)s.") % {
        "option": option,
        "setting": setting,
    }


def split_names(
    names: Iterable[str], lead: str, where: str
) -> tuple[list[str], list[str]]:
    """Part full names below ``lead`` into folders and files, as ``listdir`` does.

    Raise ``FileNotFoundError`` for a folder that nothing lies in.
    """
    folders, files = set(), []
    for name in names:
        first, slash, _rest = name[len(lead) :].partition("/")
        if slash:
            folders.add(first)
        else:
            files.append(first)
    if where and not folders and not files:
        raise FileNotFoundError(where)
    return list(folders), files
