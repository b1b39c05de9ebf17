"""Find the storage that a row belongs to, in whichever process this is.

Aliases and fields are what a worker has; storages made elsewhere are known to the
process that made them.
"""

from collections.abc import Iterator
from typing import Any

from django.apps import apps
from django.conf import settings
from django.core.files.storage import storages
from django.db.models import FileField
from django.utils.module_loading import import_string

_made: dict[tuple[str, str], Any] = {}


def register(storage: Any) -> None:
    _made[storage.storage_key, storage.task] = storage


def find(storage_key: str) -> list[Any]:
    """Return the storages of these places; none where nothing in this project is.

    They differ in their tasks only: a row's task is run if one of them names it.
    """
    known = (*_aliases(), *_fields(), *reversed(_made.values()))
    return [s for s in known if getattr(s, "storage_key", "") == storage_key]


def _aliases() -> Iterator[Any]:
    entries: dict[str, Any] = settings.STORAGES
    for alias, entry in entries.items():
        backend = entry.get("BACKEND", "")
        made = import_string(backend) if isinstance(backend, str) else backend
        if getattr(made, "is_queued_storage", False):
            yield storages[alias]


def _fields() -> Iterator[Any]:
    for model in apps.get_models():
        for field in model._meta.local_fields:
            if isinstance(field, FileField):
                yield field.storage
