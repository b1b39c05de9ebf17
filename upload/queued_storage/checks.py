"""What ``manage.py check`` tells of queued storages. No remote is asked."""

from collections.abc import Iterator
from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, Warning
from django.core.files.storage import storages

from upload.queued_storage import identity, loading, registry


def check_storages(**kwargs: Any) -> list[CheckMessage]:
    """Return what is wrong with the storages of ``STORAGES`` and of models' fields."""
    return [*_of_aliases(), *_of_fields()]


def _of_aliases() -> Iterator[CheckMessage]:
    for alias in registry.aliases():
        where = f"STORAGES[{alias!r}]"
        try:
            storage = storages[alias]
        except Exception as error:  # noqa: BLE001 - whatever is wrong with it
            options = settings.STORAGES[alias].get("OPTIONS", {})
            told = identity.redacted(f"{type(error).__name__}: {error}", options)
            yield Error(told, obj=where, id="queued_storage.E001")
        else:
            yield from _of_storage(storage, where)


def _of_fields() -> Iterator[CheckMessage]:
    for field in registry.fields():
        if getattr(field.storage, "is_queued_storage", False):
            yield from _of_storage(field.storage, field)


def _of_storage(storage: Any, where: Any) -> Iterator[CheckMessage]:
    if problem := loading.problem_of_task(storage.task):
        yield Error(problem, obj=where, id="queued_storage.E001")
    # Where passwords and buckets come from the environment, migrating needs none.
    ask = getattr(storage.remote, "problem", None)
    if problem := ask() if callable(ask) else "":
        yield Warning(problem, obj=where, id="queued_storage.W001")
