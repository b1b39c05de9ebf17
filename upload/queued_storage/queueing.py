"""Queue the task that transfers a storage's files; it carries the storage's key."""

from django.db import transaction
from django.utils import timezone
from django_q.tasks import async_task

from upload.queued_storage import records
from upload.queued_storage.conf import settings
from upload.queued_storage.models import DrainRequest

TASK = "upload.queued_storage.tasks.drain"


def ask_on_commit(storage_key: str) -> None:
    """Have the storage's due files transferred once this transaction has committed.

    What is committed is not undone by a queue that is away: the watchdog asks again.
    """
    alias = records.write_alias()
    transaction.on_commit(lambda: ask(storage_key), using=alias, robust=True)


def ask(storage_key: str) -> bool:
    """Queue a task unless one waits; return whether it was queued."""
    asked = records.is_asked(storage_key)
    if asked is None:
        DrainRequest.objects.get_or_create(storage=storage_key)
    if asked:
        return False
    rows = DrainRequest.objects.filter(storage=storage_key, is_asked=False)
    if not rows.update(is_asked=True, asked_at=timezone.now()):
        return False  # somebody else has just asked
    push(storage_key)
    return True


def push(storage_key: str) -> None:
    """Queue a task; in a transaction, or django-q2 would close the connection.

    A caller may be in the middle of reading rows by it.
    """
    with transaction.atomic(records.write_alias()):
        async_task(
            TASK,
            storage_key,
            cluster=settings.QUEUED_STORAGE_CLUSTER,
            group="transfers",
            save=False,
        )


def taken(storage_key: str) -> None:
    """Note that a task has begun; whoever saves from now on asks for another.

    Call it before the first look for due rows, or a file saved between is overlooked.
    """
    DrainRequest.objects.filter(storage=storage_key).update(is_asked=False)
