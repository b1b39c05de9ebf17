"""What ``manage.py check`` tells of queued storages. No remote is asked."""

from collections.abc import Iterator
from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, Warning
from django.core.files.storage import storages
from django.utils.translation import gettext as _

from upload.queued_storage import identity, loading, registry


def check_storages(**kwargs: Any) -> list[CheckMessage]:
    """Return what is wrong with the storages of ``STORAGES`` and of models' fields."""
    return [*_of_queue(), *_of_backends(), *_of_aliases(), *_of_fields()]


def _of_queue() -> Iterator[CheckMessage]:
    if not getattr(settings, "Q_CLUSTER", None):
        told = _(
            "There is no Q_CLUSTER: django-q2 looks for a Redis server. Without one, "
            "files are saved and never transferred. Name a broker."
        )
        yield Warning(told, id="queued_storage.W002")


def _of_backends() -> Iterator[CheckMessage]:
    """Yield the classes that are not there; one may be a queued storage misspelt."""
    for alias, found in registry.backends():
        if isinstance(found, Exception):
            path = settings.STORAGES[alias]["BACKEND"]
            told = f"{path}: {type(found).__name__}: {found}"
            where = f"STORAGES[{alias!r}]"
            yield Error(told, obj=where, id="queued_storage.E001")


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
