"""What transfers a file, and the two functions that a queue may name.

A task on the queue carries a storage's key and nothing else.
"""

from typing import Any

from django.core.files.storage import Storage

from upload.queued_storage import draining, hints, loading, watch
from upload.queued_storage.conf import settings
from upload.queued_storage.sending import Sending, send
from upload.queued_storage.signals import file_transferred


class _FromSettings:
    """A class attribute that is a setting until a subclass says otherwise."""

    def __init__(self, name: str) -> None:
        self._name = name

    def __get__(self, instance: object, owner: type | None = None) -> Any:
        return getattr(settings, self._name)


class Transfer:
    """Transfers one file. A subclass may do more in ``transfer``, or do it otherwise.

    ``transfer`` returns True, or False to be tried again; anything else is an error.
    """

    name = "upload.queued_storage.tasks.Transfer"
    # Whether the local file goes once the remote's bytes were verified.
    deletes_local = False
    max_retries: Any = _FromSettings("QUEUED_STORAGE_RETRIES")
    default_retry_delay: Any = _FromSettings("QUEUED_STORAGE_RETRY_DELAY")

    def run(  # noqa: PLR0913 - the documented signature
        self,
        name: str,
        cache_key: str,
        local_path: str,
        remote_path: str,
        local_options: dict[str, Any],
        remote_options: dict[str, Any],
        **kwargs: Any,
    ) -> bool:
        """Transfer a file from storages of these classes; return what came of it.

        Run by hand, without ``sending``, it knows of no row: it sets the cache key and
        sends the signal itself.
        """
        local = kwargs.pop("local", None)
        remote = kwargs.pop("remote", None)
        local = local or loading.made(local_path, local_options or {}, "local")
        remote = remote or loading.made(remote_path, remote_options or {}, "remote")
        result = self.transfer(name, local, remote, **kwargs)
        if not isinstance(result, bool):
            raise ValueError(
                f"{type(self).__name__}.transfer() is to return True or False; "
                f"it returned {result!r}."
            )
        if result and "sending" not in kwargs:
            hints.say_local(cache_key)
            file_transferred.send_robust(
                type(self), name=name, local=local, remote=remote
            )
        return result

    def transfer(
        self, name: str, local: Storage, remote: Storage, **kwargs: Any
    ) -> bool:
        """Send the file and verify the remote's bytes; errors lead to another try."""
        send(local, remote, kwargs.get("sending") or Sending(name, name))
        return True


class TransferAndDelete(Transfer):
    """Transfers a file, then deletes the local one once the row says where it is."""

    name = "upload.queued_storage.tasks.TransferAndDelete"
    deletes_local = True

    def transfer(
        self, name: str, local: Storage, remote: Storage, **kwargs: Any
    ) -> bool:
        result = super().transfer(name, local, remote, **kwargs)
        if result and "sending" not in kwargs:
            local.delete(name)
        return result


def drain(storage_key: str) -> str:
    """Transfer the due files of one storage; may run at the same time as itself."""
    return draining.drain(storage_key)


def recover() -> str:
    """Queue the transfers that are due and that no task will come to."""
    return f"{watch.recover()} queued"
