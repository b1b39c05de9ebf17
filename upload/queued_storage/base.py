"""Storages that save locally at once and move the file to a remote afterwards.

A row says where each file is (see ``models``); the remote is asked only to read what is
nowhere else. ``save`` and ``delete`` follow the transaction that they are called in.
"""

import io
from contextlib import suppress
from copy import copy
from datetime import datetime
from typing import Any

from django.core.exceptions import ImproperlyConfigured
from django.core.files.base import File
from django.core.files.storage import Storage
from django.core.files.utils import validate_file_name
from django.utils.deconstruct import deconstructible
from django.utils.translation import gettext as _

from upload.queued_storage import (
    filing,
    hints,
    identity,
    listing,
    loading,
    records,
    registry,
)
from upload.queued_storage.conf import settings
from upload.queued_storage.content import Incoming
from upload.queued_storage.models import FileState, QueuedFile
from upload.queued_storage.records import Facts
from upload.queued_storage.renamed import Renamed

# Where users of the app find the classes.
MODULE = "upload.queued_storage.backends"


def storage_class(klass: Any) -> Any:
    """Let migrations write the class down, without the secrets of its options."""
    klass = deconstructible(path=f"{MODULE}.{klass.__qualname__}")(klass)
    whole = klass.deconstruct

    def deconstruct(self: Any) -> tuple[str, list[Any], dict[str, Any]]:
        path, args, kwargs = whole(self)
        return path, *identity.without_secrets((list(args), kwargs))

    klass.deconstruct = deconstruct
    return klass


@storage_class
class QueuedStorage(Storage):
    """The arguments may stand as attributes of a subclass instead.

    ``identity`` names the storage, so that its files stay its own when a folder or a
    bucket is moved; without it the places themselves tell storages apart.
    """

    is_queued_storage = True
    local: Any = None
    local_options: Any = None
    remote: Any = None
    remote_options: Any = None
    cache_prefix: str | None = None
    delayed: bool = False
    task = "upload.queued_storage.tasks.Transfer"
    identity: str = ""
    _asks_remote = True
    _has_task = False

    def __init__(  # noqa: PLR0913 - the documented signature
        self,
        local: str | None = None,
        remote: str | None = None,
        local_options: dict[str, Any] | None = None,
        remote_options: dict[str, Any] | None = None,
        cache_prefix: str | None = None,
        delayed: bool | None = None,
        task: str | None = None,
        *,
        identity: str = "",
    ) -> None:
        self.local_path = local or self.local
        self.remote_path = remote or self.remote
        here = local_options or self.local_options
        there = remote_options or self.remote_options
        self.local_options = loading.options_of(here, "local")
        self.remote_options = loading.options_of(there, "remote")
        self.cache_prefix = (
            cache_prefix or self.cache_prefix or settings.QUEUED_STORAGE_CACHE_PREFIX
        )
        self.delayed = self.delayed if delayed is None else delayed
        self.task = _dotted(task or self.task)
        self.identity = identity or self.identity
        self.local = loading.made(self.local_path, self.local_options, "local")
        self.remote = loading.made(self.remote_path, self.remote_options, "remote")
        loading.require_apart(self.local, self.remote)
        self._give_keys()
        registry.register(self)

    def _give_keys(self) -> None:
        place = [self.remote_path, self.remote_options]
        self.remote_key = identity.key_of("remote", *place)
        if self.identity:
            self.storage_key = identity.key_of("named", self.identity)
            return
        here = [self.local_path, self.local_options]
        self.storage_key = identity.key_of("placed", *here, *place)

    def told(self, error: Exception) -> str:
        """Return an error for rows and logs, without the secrets of the options."""
        options = {"local": self.local_options, "remote": self.remote_options}
        return identity.redacted(f"{type(error).__name__}: {error}", options)

    # Which side has the file

    def name_digest(self, name: str) -> str:
        return identity.name_digest(self.storage_key, name)

    def remote_digest(self, name: str) -> str:
        """Return what stands for a name on the remote, whichever storage uses it."""
        return identity.name_digest(self.remote_key, name)

    def get_cache_key(self, name: str) -> str:
        prefix = str(self.cache_prefix)
        return hints.key_of(prefix, self.storage_key, self.name_digest(name))

    def facts(self, name: str) -> Facts | None:
        return records.facts_of(self.name_digest(name))

    def using_local(self, name: str) -> bool:
        return not self.using_remote(name)

    def using_remote(self, name: str) -> bool:
        """Return whether the file was transferred."""
        facts = self.facts(name)
        return self._is_only_there(name, None) if facts is None else facts.is_sent

    def _is_only_there(self, name: str, facts: Facts | None) -> bool:
        """Return whether the remote alone has the file; ask it if no row knows."""
        if facts is None:
            return not self.local.exists(name) and bool(self.remote.exists(name))
        return facts.state == FileState.REMOTE

    def get_storage(self, name: str) -> Any:
        """Return the side responsible for a file: the remote once it was transferred.

        Where the remote has the file under another name, what is returned answers to
        this one.
        """
        if not self.using_remote(name):
            return self.local
        facts = self.facts(name)
        return self.remote_under(name, facts.remote_name if facts else name)

    def remote_under(self, name: str, remote_name: str) -> Any:
        same = identity.plain_name(name) == identity.plain_name(remote_name)
        return self.remote if same else Renamed(self.remote, name, remote_name)

    def _side(self, name: str) -> tuple[Storage, str]:
        """Return from where to read, and the name there; the local bytes are nearer.

        Raise ``FileNotFoundError`` for what is being deleted.
        """
        key = self.get_cache_key(name)
        if hints.says_local(key) and self.local.exists(name):
            return self.local, name
        facts = self.facts(name)
        if facts is None:
            is_here = self.local.exists(name)
            return (self.local, name) if is_here else (self.remote, name)
        if facts.state == FileState.DELETING:
            raise FileNotFoundError(name)
        if facts.state != FileState.REMOTE and self.local.exists(name):
            hints.say_local(key)
            return self.local, name
        if facts.is_sent:
            return self.remote, facts.remote_name
        return self.local, name

    # Reading

    def _open(self, name: str, mode: str = "rb") -> File:  # type: ignore[type-arg]
        if set(mode) - set("rbt"):
            raise io.UnsupportedOperation(
                _(
                    "“%(name)s” was to be opened with the mode “%(mode)s”; files of a "
                    "queued storage are read only. Save a new one."
                )
                % {"name": name, "mode": mode}
            )
        side, name_there = self._side(name)
        return side.open(name_there, mode)

    def exists(self, name: str) -> bool:
        """Ask the row, then the local storage; the remote for unknown names alone."""
        if hints.says_local(self.get_cache_key(name)) and self.local.exists(name):
            return True
        facts = self.facts(name)
        if facts is None:
            return self.local.exists(name) or bool(self.remote.exists(name))
        return facts.is_sent or (
            facts.state != FileState.DELETING and self.local.exists(name)
        )

    def size(self, name: str) -> int:
        if hints.says_local(self.get_cache_key(name)):
            with suppress(OSError):
                return self.local.size(name)
        facts = self.facts(name)
        if facts is not None and facts.state == FileState.REMOTE:
            return facts.size or 0
        side, name_there = self._side(name)
        return side.size(name_there)

    def url(self, name: str | None) -> str:
        """Return the remote's URL once the file was transferred, where it has any."""
        if not name:
            return self.local.url(name)
        facts = self.facts(name)
        is_only_there = self._is_only_there(name, facts)
        if not is_only_there and not (facts and facts.is_sent):
            return self.local.url(name)
        try:
            return self.remote.url(facts.remote_name if facts else name)
        except (NotImplementedError, ValueError):
            if is_only_there:
                raise
            return self.local.url(name)

    def path(self, name: str) -> str:
        if name and self._is_only_there(name, self.facts(name)):
            raise NotImplementedError(
                _("“%(name)s” is on the remote only; open it instead.") % {"name": name}
            )
        return self.local.path(name)

    def listdir(self, path: str) -> tuple[list[str], list[str]]:
        """List both sides and what the rows know of; raise what the remote raises."""
        return listing.listing(self, path)

    def get_accessed_time(self, name: str) -> datetime:
        return filing.moment(self, "get_accessed_time", name, *self._side(name))

    def get_created_time(self, name: str) -> datetime:
        return filing.moment(self, "get_created_time", name, *self._side(name))

    def get_modified_time(self, name: str) -> datetime:
        return filing.moment(self, "get_modified_time", name, *self._side(name))

    # The document's older names, for subclasses' methods as well.

    def accessed_time(self, name: str) -> datetime:
        return self.get_accessed_time(name)

    def created_time(self, name: str) -> datetime:
        return self.get_created_time(name)

    def modified_time(self, name: str) -> datetime:
        return self.get_modified_time(name)

    # Writing

    def get_valid_name(self, name: str) -> str:
        return self.local.get_valid_name(name)

    def get_alternative_name(self, file_root: str, file_ext: str) -> str:
        return self.local.get_alternative_name(file_root, file_ext)

    def is_name_available(self, name: str, max_length: int | None = None) -> bool:
        """Return whether a name is free on both sides; ``save`` asks no remote."""
        if max_length and len(name) > max_length:
            return False
        if self.local.exists(name):
            return False
        if not records.is_free(self.name_digest(name), self.remote_digest(name)):
            return False
        return not (self._asks_remote and self.remote.exists(name))

    def generate_filename(self, filename: Any) -> str:
        return super().generate_filename(filename)

    def save(
        self, name: str | None, content: Any, max_length: int | None = None
    ) -> str:
        """Save locally and write the row; the transfer is queued by the commit.

        Returns the name that the local storage gave.
        """
        self._require_task()
        incoming = Incoming(content, name)
        wanted = content.name if name is None else name
        validate_file_name(wanted, allow_relative_path=True)
        str(wanted).encode()  # a row takes Unicode only: fail before a file is there
        near = copy(self)
        near._asks_remote = False  # it may be far; the rows know what we sent there
        free = near.get_available_name(wanted, max_length)
        if type(self.local).save is Storage.save:
            # Its part after the search for a free name, which was just made.
            stored = self.local._save(free, incoming)
        else:
            stored = self.local.save(free, incoming, max_length)
        filing.file(self, stored, incoming.receipt)
        return stored

    def _require_task(self) -> None:
        """Raise ``ImproperlyConfigured`` before a file is taken that none would send.

        Not where the storage is made: the task may stand in the module that makes it.
        """
        if not self._has_task:
            if problem := loading.problem_of_task(self.task):
                raise ImproperlyConfigured(problem)
            self._has_task = True

    def note_placed(self, placed: Any) -> None:
        """Take on files that were put into the local storage by other means.

        ``placed`` are pairs of a name and the ``Receipt`` of its bytes.
        """
        self._require_task()
        filing.file_many(self, placed)

    def transfer(self, name: str, cache_key: str | None = None) -> QueuedFile:
        """Have the file transferred, and the hint set under ``cache_key`` as well.

        Returns the row, whose ``state`` and ``error`` tell what comes of it. What was
        transferred already stays as it is, also by another program: then the row is
        new. Raise ``FileNotFoundError``.
        """
        self._require_task()
        return filing.ask(self, name, cache_key or "")

    def delete(self, name: str) -> None:
        """Delete on both sides: locally with the commit, on the remote soon after."""
        if not name:
            raise ValueError(_("The name must be given to delete()."))
        filing.delete(self, name)


def _dotted(task: Any) -> str:
    if not isinstance(task, str):
        raise ImproperlyConfigured(
            _("The task is to be a dotted path such as “%(example)s”.")
            % {"example": QueuedStorage.task}
        )
    return task
