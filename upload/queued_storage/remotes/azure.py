"""Azure Blob Storage: django-storages' ``AzureStorage``, which must not replace.

Everything else, its options too, is django-storages'.
"""

from typing import Any

from django.utils.deconstruct import deconstructible

from upload.queued_storage.remotes.base import lacking

try:
    from storages.backends.azure_storage import AzureStorage
except ImportError as error:
    raise lacking("azure") from error


@deconstructible
class NoReplaceAzureStorage(AzureStorage):
    """``overwrite_files`` is off, whatever the settings say."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options | {"overwrite_files": False})
