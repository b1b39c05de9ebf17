"""The storages of our two aliases, looked up at each use.

Reached by other rooms through ``upload.storage``.
"""

from typing import Any

from django.core.files.storage import Storage, storages
from django.utils.deconstruct import deconstructible

from upload.copy_engine import Receipt


@deconstructible(path="upload.storage.AliasStorage")
class AliasStorage(Storage):
    """The storage behind an alias of ``settings.STORAGES``, looked up at each use."""

    def __init__(self, alias: str) -> None:
        self.alias = alias

    @property
    def behind(self) -> Storage:
        return storages[self.alias]

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__") or name == "alias":
            raise AttributeError(name)
        return getattr(self.behind, name)


def _forward(name: str) -> Any:
    def call(self: AliasStorage, *args: Any, **kwargs: Any) -> Any:
        return getattr(self.behind, name)(*args, **kwargs)

    call.__name__ = name
    return call


# __getattr__ alone would not see these: Storage defines them.
for _name in [name for name in vars(Storage) if not name.startswith("_")]:
    setattr(AliasStorage, _name, _forward(_name))


def TempFileStorage() -> Storage:
    """Return the storage of files whose session is not stored yet."""
    return AliasStorage("temp")


def UploadedFileStorage() -> Storage:
    """Return the storage of permanent files."""
    return AliasStorage("uploaded")


def behind(storage: Storage) -> Any:
    """Return the storage itself, seen through an alias."""
    return storage.behind if isinstance(storage, AliasStorage) else storage


def has_rows(storage: Storage) -> bool:
    """Return whether rows say where its files are, as a queued storage's do."""
    return bool(getattr(behind(storage), "is_queued_storage", False))


def note_placed(storage: Storage, placed: list[tuple[str, Receipt]]) -> None:
    """Tell the storage of files that were put into it past its ``save``.

    Call it in the transaction that promises them: the rows go with it.
    """
    if has_rows(storage):
        behind(storage).note_placed(placed)
