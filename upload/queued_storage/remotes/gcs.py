"""Google Cloud Storage: django-storages' ``GoogleCloudStorage``, not replacing.

Everything else, its options too, is django-storages'.
"""

from typing import Any

from django.utils.deconstruct import deconstructible

from upload.queued_storage.remotes.base import lacking

try:
    from storages.backends.gcloud import GoogleCloudStorage
except ImportError as error:
    raise lacking("gcs") from error


@deconstructible
class NoReplaceGoogleCloudStorage(GoogleCloudStorage):
    """``file_overwrite`` is off: a name is asked for before it is used."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options | {"file_overwrite": False})
