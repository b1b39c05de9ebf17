"""Make a storage from a dotted path and its options, and nothing else."""

from typing import Any

from django.core.exceptions import ImproperlyConfigured
from django.core.files.storage import Storage
from django.utils.module_loading import import_string
from django.utils.translation import gettext as _

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
