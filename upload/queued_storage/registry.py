"""Find the storage that a row belongs to, in whichever process this is.

Aliases and fields are what a worker has; storages made elsewhere are known to the
process that made them.
"""

import logging
from collections.abc import Iterator
from typing import Any

from django.apps import apps
from django.conf import settings
from django.core.files.storage import storages
from django.db.models import FileField
from django.utils.module_loading import import_string

logger = logging.getLogger(__name__)

_made: dict[tuple[str, str], Any] = {}


def register(storage: Any) -> None:
    _made[storage.storage_key, storage.task] = storage


def find(storage_key: str) -> list[Any]:
    """Return the storages of these places; none where nothing in this project is.

    They differ in their tasks only: a row's task is run if one of them names it.
    """
    held = (field.storage for field in fields())
    known = (*_named(), *held, *reversed(_made.values()))
    return [s for s in known if getattr(s, "storage_key", "") == storage_key]


def backends() -> Iterator[tuple[str, Any]]:
    """Yield each alias with its class, or with the error that importing it raised."""
    entries: dict[str, Any] = settings.STORAGES
    for alias, entry in entries.items():
        backend = entry.get("BACKEND", "")
        try:
            found = import_string(backend) if isinstance(backend, str) else backend
        except Exception as error:  # noqa: BLE001 - it must not stop other storages
            found = error
        yield alias, found


def aliases() -> Iterator[str]:
    """Yield the aliases of queued storages, which are not made for this."""
    for alias, found in backends():
        if isinstance(found, Exception):
            _tell(alias, found)
        elif getattr(found, "is_queued_storage", False):
            yield alias


def _named() -> Iterator[Any]:
    for alias in aliases():
        try:
            found = storages[alias]
        except Exception as error:  # noqa: BLE001 - it must not stop other storages
            _tell(alias, error)
        else:
            yield found


def _tell(alias: str, error: Exception) -> None:
    """Log the kind alone: an option may stand in the text."""
    logger.error("STORAGES[%r]: %s", alias, type(error).__name__)


def fields() -> Iterator[Any]:
    for model in apps.get_models():
        for field in model._meta.local_fields:
            if isinstance(field, FileField):
                yield field
