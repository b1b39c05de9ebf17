"""Make a storage or a task from a dotted path, and nothing else."""

from typing import Any

from django.core.exceptions import ImproperlyConfigured
from django.core.files.storage import Storage
from django.utils.module_loading import import_string
from django.utils.translation import gettext as _

from upload.queued_storage.conf import settings

REMOTES = "upload.queued_storage.remotes"
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
    if not isinstance(path, str):
        raise ImproperlyConfigured(
            _(
                "The %(what)s storage is to be a dotted path such as "
                "“django.core.files.storage.FileSystemStorage”, its options in "
                "%(what)s_options; found: %(found)s."
            )
            % {"what": what, "found": type(path).__name__}
        )
    try:
        return import_string(SUCCESSORS.get(path, path))(**options)
    except ImportError as error:
        raise ImproperlyConfigured(
            _("The %(what)s storage “%(path)s” cannot be imported: %(error)s.")
            % {"what": what, "path": path, "error": error}
        ) from error
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


class NoTask:
    """Stands for a task that cannot be made, so that its files can tell why."""

    deletes_local = False

    def __init__(self, reason: str) -> None:
        self._reason = reason
        self.max_retries = settings.QUEUED_STORAGE_RETRIES
        self.default_retry_delay = settings.QUEUED_STORAGE_RETRY_DELAY

    def run(self, *args: Any, **kwargs: Any) -> bool:
        raise ImproperlyConfigured(self._reason)


def made_task(path: str) -> Any:
    """Return the task; one that fails each file where it cannot be made.

    An error here would end the turn, and the other tasks' files would wait for ever.
    """
    try:
        task = import_string(path)()
        if not callable(getattr(task, "run", None)):
            raise TypeError(f"{type(task).__name__} has no run()")
        return task
    except Exception as error:  # noqa: BLE001 - a module of the project's is run
        words = _("The task “%(path)s” cannot be made: %(error)s.")
        return NoTask(words % {"path": path, "error": error})
