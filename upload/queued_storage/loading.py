"""Make a storage or a task from a dotted path, and nothing else."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from django.core.exceptions import ImproperlyConfigured
from django.core.files.storage import InMemoryStorage, Storage
from django.utils.functional import LazyObject
from django.utils.module_loading import import_string
from django.utils.translation import gettext as _

from upload.queued_storage.conf import settings

REMOTES = "upload.queued_storage.remotes"
# What the worker uses of a task.
PARTS_OF_A_TASK = ("run", "max_retries", "default_retry_delay", "deletes_local")
# Modules that django-storages has no more, and what stands for them here.
SUCCESSORS = {
    "storages.backends.s3boto.S3BotoStorage": f"{REMOTES}.s3.VerifiedS3Storage",
    "storages.backends.couchdb.CouchDBStorage": f"{REMOTES}.couchdb.CouchDBStorage",
    "storages.backends.database.DatabaseStorage": f"{REMOTES}.database.DatabaseStorage",
    "storages.backends.mongodb.GridFSStorage": f"{REMOTES}.gridfs.GridFSStorage",
    "storages.backends.mosso.CloudFilesStorage": f"{REMOTES}.swift.SwiftStorage",
}


def made(path: Any, options: Any, what: str) -> Storage:
    """Return the storage; raise ``ImproperlyConfigured`` that names no option's value.

    ``what`` is ``local`` or ``remote``, for the message.
    """
    found = _class_of(path, what)
    try:
        return found(**options)
    except TypeError as error:
        raise ImproperlyConfigured(
            _("The %(what)s storage “%(path)s” was given %(names)s: %(error)s.")
            % {
                "what": what,
                "path": path,
                "names": ", ".join(sorted(options)) or _("no options"),
                "error": error,
            }
        ) from error


def _class_of(path: Any, what: str) -> Any:
    if not isinstance(path, str):
        raise ImproperlyConfigured(
            _(
                "The %(what)s storage is to be a dotted path such as "
                "“django.core.files.storage.FileSystemStorage”, its options in "
                "%(what)s_options; found: %(found)s."
            )
            % {"what": what, "found": _in_words(path)}
        )
    try:
        found = import_string(SUCCESSORS.get(path, path))
    except ImportError as error:
        raise ImproperlyConfigured(
            _("The %(what)s storage “%(path)s” cannot be imported: %(error)s.")
            % {"what": what, "path": path, "error": error}
        ) from error
    if isinstance(found, type) and issubclass(found, Storage | LazyObject):
        return found
    raise ImproperlyConfigured(
        _(
            "The %(what)s storage “%(path)s” is no storage: name a subclass of "
            "django.core.files.storage.Storage."
        )
        % {"what": what, "path": path}
    )


def _in_words(value: Any) -> str:
    """Return what something is, without its value, which may be a secret."""
    if value is None:
        return _("nothing")
    kind = value if isinstance(value, type) else type(value)
    return f"{kind.__module__}.{kind.__qualname__}".removeprefix("builtins.")


def options_of(value: Any, what: str) -> dict[str, Any]:
    """Return a copy of the options, which may be None."""
    if value is None or isinstance(value, Mapping):
        return dict(value or {})
    raise ImproperlyConfigured(
        _("%(what)s_options is to be a dictionary; found: %(found)s.")
        % {"what": what, "found": _in_words(value)}
    )


def require_apart(local: Storage, remote: Storage) -> None:
    """Raise ``ImproperlyConfigured`` where one storage's folder lies in the other's."""
    here, there = _folder_of(local), _folder_of(remote)
    if here is None or there is None:
        return
    if here == there:
        raise ImproperlyConfigured(
            _(
                "The local and the remote storage are one and the same place. Give "
                "the remote another folder: each file would be its own copy."
            )
        )
    if here in there.parents or there in here.parents:
        raise ImproperlyConfigured(
            _(
                "The folders of the local and the remote storage lie one inside the "
                "other. Give the remote a folder beside it: each would list the "
                "other's files as its own."
            )
        )


def _folder_of(storage: Storage) -> Path | None:
    """Return the folder of a storage that has one."""
    if isinstance(storage, InMemoryStorage):  # its paths are invented
        return None
    try:
        return Path(storage.path("x")).parent.resolve()
    except (AttributeError, NotImplementedError):
        return None


class NoTask:
    """Stands for a task that cannot be made, so that its files can tell why."""

    deletes_local = False

    def __init__(self, reason: str) -> None:
        self.reason = reason
        self.max_retries = settings.QUEUED_STORAGE_RETRIES
        self.default_retry_delay = settings.QUEUED_STORAGE_RETRY_DELAY

    def run(self, *args: Any, **kwargs: Any) -> bool:
        raise ImproperlyConfigured(self.reason)


def made_task(path: str) -> Any:
    """Return the task; one that fails each file where it cannot be made.

    An error here would end the turn, and the other tasks' files would wait for ever.
    """
    try:
        task = import_string(path)()
        if not all(hasattr(task, name) for name in PARTS_OF_A_TASK):
            raise TypeError(_("it is no subclass of Transfer"))
        return task
    except Exception as error:  # noqa: BLE001 - a module of the project's is run
        words = _("The task “%(path)s” cannot be made: %(error)s.")
        return NoTask(words % {"path": path, "error": error})


def problem_of_task(path: str) -> str:
    """Return why the task cannot be made, ``""`` if it can."""
    task = made_task(path)
    return task.reason if isinstance(task, NoTask) else ""
