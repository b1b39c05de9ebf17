"""Queued storages for tests, and the work that a worker would do for them."""

from pathlib import Path
from typing import Any

from django_q.models import OrmQ
from django_q.signing import SignedPackage

from upload.queued_storage import tasks
from upload.queued_storage.backends import QueuedStorage
from upload.queued_storage.filing import row_of
from upload.queued_storage.models import QueuedFile

FILE_SYSTEM = "django.core.files.storage.FileSystemStorage"
BAD = "tests.upload.queued.faulty"
DELETING_TASK = "upload.queued_storage.tasks.TransferAndDelete"


def between_folders(folder: Path, **more: Any) -> QueuedStorage:
    """Return a storage from ``here`` to ``there`` below a folder."""
    options: dict[str, Any] = {
        "local_options": {"location": str(folder / "here"), "base_url": "/here/"},
        "remote_options": {"location": str(folder / "there"), "base_url": "/there/"},
    }
    return QueuedStorage(FILE_SYSTEM, FILE_SYSTEM, **options | more)


class MovedAtOnce(QueuedStorage):
    """Each file is on the remote, and only there, when ``save`` returns."""

    task = DELETING_TASK

    def save(self, *args: Any, **kwargs: Any) -> str:
        name = super().save(*args, **kwargs)
        tasks.drain(self.storage_key)
        assert known(self, name).state == "remote"
        return name


def to_remote(
    folder: Path,
    entry: dict[str, Any],
    of: type[QueuedStorage] = QueuedStorage,
    **more: Any,
) -> QueuedStorage:
    """Return a storage from ``here`` below a folder to an entry as in STORAGES."""
    return of(
        FILE_SYSTEM,
        entry["BACKEND"],
        {"location": str(folder / "here"), "base_url": "/here/"},
        entry["OPTIONS"],
        **more,
    )


def faulty(kind: str, folder: Path, **more: Any) -> Any:
    """Return a storage to ``there`` with the habits of a class of ``faulty.py``."""
    entry = {
        "BACKEND": f"{BAD}.{kind}",
        "OPTIONS": {"location": str(folder / "there"), "base_url": "/there/"},
    }
    return to_remote(folder, entry, **more)


def queued() -> list[dict[str, Any]]:
    """Return the tasks that wait in the queue."""
    return [SignedPackage.loads(row.payload) for row in OrmQ.objects.order_by("pk")]


def work() -> None:
    """Run the tasks that wait, and those that they queue, as a worker does."""
    while (first := OrmQ.objects.order_by("pk").first()) is not None:
        task = SignedPackage.loads(first.payload)
        first.delete()
        if task["func"] == "upload.queued_storage.tasks.drain":
            tasks.drain(*task["args"])


def known(storage: QueuedStorage, name: str) -> QueuedFile:
    """Return the file's row, which has to be there."""
    row = row_of(storage, name)
    assert row is not None, name
    return row


def content(storage: Any, name: str) -> bytes:
    with storage.open(name) as file:
        return bytes(file.read())
