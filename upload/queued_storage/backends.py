"""The storages to name in ``STORAGES`` and in fields.

Each takes the arguments of ``QueuedStorage``. The remotes and their options are those
of docs/queued-storage-remotes.md; any other storage goes by its dotted path.
"""

from typing import Any

from django.core.exceptions import ImproperlyConfigured
from django.utils.translation import gettext as _

from upload.queued_storage.base import QueuedStorage, storage_class
from upload.queued_storage.loading import REMOTES

__all__ = [
    "QueuedAzureStorage",
    "QueuedCloudFilesStorage",
    "QueuedCouchDBStorage",
    "QueuedDatabaseStorage",
    "QueuedFTPStorage",
    "QueuedFileSystemStorage",
    "QueuedGoogleCloudStorage",
    "QueuedGridFSStorage",
    "QueuedMogileFSStorage",
    "QueuedS3BotoStorage",
    "QueuedSFTPStorage",
    "QueuedStorage",
]

FILE_SYSTEM = "django.core.files.storage.FileSystemStorage"


@storage_class
class QueuedFileSystemStorage(QueuedStorage):
    """Local files in Django's own storage."""

    def __init__(self, local: str = FILE_SYSTEM, *args: Any, **kwargs: Any) -> None:
        super().__init__(local, *args, **kwargs)


@storage_class
class QueuedS3BotoStorage(QueuedFileSystemStorage):
    """To S3, or a server that speaks like it."""

    def __init__(
        self, remote: str = f"{REMOTES}.s3.VerifiedS3Storage", *args: Any, **kwargs: Any
    ) -> None:
        super().__init__(*args, remote=remote, **kwargs)


@storage_class
class QueuedCouchDBStorage(QueuedFileSystemStorage):
    """To attachments in CouchDB."""

    def __init__(
        self,
        remote: str = f"{REMOTES}.couchdb.CouchDBStorage",
        *args: Any,
        **kwargs: Any,
    ) -> None:
        super().__init__(*args, remote=remote, **kwargs)


@storage_class
class QueuedDatabaseStorage(QueuedFileSystemStorage):
    """To rows of a database that Django knows."""

    def __init__(
        self,
        remote: str = f"{REMOTES}.database.DatabaseStorage",
        *args: Any,
        **kwargs: Any,
    ) -> None:
        super().__init__(*args, remote=remote, **kwargs)


@storage_class
class QueuedFTPStorage(QueuedFileSystemStorage):
    """To an FTP or FTPS server, streamed."""

    def __init__(
        self,
        remote: str = f"{REMOTES}.ftp.StreamingFTPStorage",
        *args: Any,
        **kwargs: Any,
    ) -> None:
        super().__init__(*args, remote=remote, **kwargs)


@storage_class
class QueuedMogileFSStorage(QueuedFileSystemStorage):
    """To whatever took MogileFS's place; there is no remote of that name any more."""

    def __init__(self, remote: str | None = None, *args: Any, **kwargs: Any) -> None:
        if remote is None:
            raise ImproperlyConfigured(
                _(
                    "MogileFS has neither a server nor a client that is kept any more. "
                    "Give QueuedMogileFSStorage a remote by its dotted path, or move "
                    "the files and use QueuedS3BotoStorage."
                )
            )
        super().__init__(*args, remote=remote, **kwargs)


@storage_class
class QueuedGridFSStorage(QueuedFileSystemStorage):
    """To MongoDB's GridFS."""

    def __init__(
        self, remote: str = f"{REMOTES}.gridfs.GridFSStorage", *args: Any, **kwargs: Any
    ) -> None:
        super().__init__(*args, remote=remote, **kwargs)


@storage_class
class QueuedCloudFilesStorage(QueuedFileSystemStorage):
    """To OpenStack Swift, which Rackspace's Cloud Files is."""

    def __init__(
        self, remote: str = f"{REMOTES}.swift.SwiftStorage", *args: Any, **kwargs: Any
    ) -> None:
        super().__init__(*args, remote=remote, **kwargs)


@storage_class
class QueuedSFTPStorage(QueuedFileSystemStorage):
    """To an SFTP server whose host keys are pinned, streamed."""

    def __init__(
        self,
        remote: str = f"{REMOTES}.sftp.StreamingSFTPStorage",
        *args: Any,
        **kwargs: Any,
    ) -> None:
        super().__init__(*args, remote=remote, **kwargs)


@storage_class
class QueuedAzureStorage(QueuedFileSystemStorage):
    """To Azure Blob Storage."""

    def __init__(
        self,
        remote: str = f"{REMOTES}.azure.VerifiedAzureStorage",
        *args: Any,
        **kwargs: Any,
    ) -> None:
        super().__init__(*args, remote=remote, **kwargs)


@storage_class
class QueuedGoogleCloudStorage(QueuedFileSystemStorage):
    """To Google Cloud Storage."""

    def __init__(
        self,
        remote: str = f"{REMOTES}.gcs.VerifiedGoogleCloudStorage",
        *args: Any,
        **kwargs: Any,
    ) -> None:
        super().__init__(*args, remote=remote, **kwargs)
