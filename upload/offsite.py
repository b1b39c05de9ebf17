"""Permanent storage with a second place elsewhere, to which its files follow.

Storing, serving and checking use our disk as long as it has the bytes. Behind the alias
``uploaded`` where UPLOADED_STORAGE_REMOTE is set.
"""

from typing import Any

from upload.queued_storage.backends import QueuedStorage

TASK = "upload.queued_storage.tasks.Transfer"
TASK_THAT_DELETES = "upload.queued_storage.tasks.TransferAndDelete"


class OffsiteStorage(QueuedStorage):
    """Keeps its files when a folder or a bucket moves: it goes by its name."""

    identity = "uploaded"
    local: Any = "upload.storage.DurableFileSystemStorage"

    def __init__(self, *, keep_local: bool = True, **options: Any) -> None:
        task = TASK if keep_local else TASK_THAT_DELETES
        super().__init__(task=task, **options)

    def url(self, name: str | None) -> str:
        """Return our own address: the other place asks for no permission of ours."""
        return str(self.local.url(name))

    def listdir(self, path: str) -> tuple[list[str], list[str]]:
        """List our disk, where bytes without a row may lie."""
        found: tuple[list[str], list[str]] = self.local.listdir(path)
        return found
