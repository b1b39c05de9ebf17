"""A Django storage over a local folder that keeps its promises through a power cut.

A name is absent or holds all its bytes; nothing is overwritten; no link below the
location is followed. Reached by other rooms through ``upload.storage``.
"""

import io
import os
from collections.abc import Iterable, Iterator
from functools import cached_property
from pathlib import Path
from typing import IO, Any, Self

from django.core.files import File
from django.core.files.storage import FileSystemStorage
from django.utils.deconstruct import deconstructible

from upload import paths
from upload.copy_engine import PRIVATE_FILE, Beat, Receipt, silent
from upload.errors import TargetOccupied
from upload.tree import Hand, Layout, Tree
from upload.wording import gettext as _

STAGING_FOLDER = ".staging"


class StoredFile(File):  # type: ignore[type-arg]  # File is not generic at run time
    """A file of a durable storage; opening it again walks without links again."""

    def __init__(self, storage: "DurableFileSystemStorage", name: str, mode: str):
        self._storage = storage
        super().__init__(storage.handle(name, mode), name)
        self.mode = mode

    def open(self, mode: str | None = None, *args: Any, **kwargs: Any) -> Self:
        if self.closed:
            self.file = self._storage.handle(self.name or "", mode or self.mode)
        else:
            self.seek(0)
        return self


@deconstructible(path="upload.storage.DurableFileSystemStorage")
class DurableFileSystemStorage(FileSystemStorage):
    """A folder of private files that survive a power cut once ``save`` has returned.

    Staging files stand in ``<location>/.staging/``, which no listing shows.
    """

    def __init__(
        self,
        location: str | Path | None = None,
        base_url: str | None = None,
        file_permissions_mode: int = PRIVATE_FILE,
        directory_permissions_mode: int = paths.PRIVATE_FOLDER,
    ) -> None:
        place = None if location is None else os.fspath(location)
        super().__init__(
            place, base_url, file_permissions_mode, directory_permissions_mode
        )

    @cached_property
    def tree(self) -> Tree:
        layout = Layout(
            (STAGING_FOLDER,),
            "",
            STAGING_FOLDER,
            self.file_permissions_mode or PRIVATE_FILE,
            self.directory_permissions_mode or paths.PRIVATE_FOLDER,
        )
        return Tree(lambda mode: paths.open_root(Path(self.location), mode), layout)

    def _key(self, name: str) -> str:
        """Return the key of a name as Django takes it: normalised, inside."""
        inside = super().path(name)  # raises SuspiciousFileOperation
        return Path(inside).relative_to(self.location).as_posix()

    def receive(
        self,
        key: str,
        chunks: Iterable[bytes],
        expected: Receipt | None = None,
        beat: Beat = silent,
    ) -> Receipt:
        """Write ``chunks`` under exactly ``key``; see ``Tree.put``."""
        return self.tree.put(key, chunks, expected, Hand(beat=beat))

    def handle(self, name: str, mode: str = "rb") -> IO[Any]:
        """Return an open file object, for reading only."""
        if mode not in {"rb", "r", "rt"}:
            raise io.UnsupportedOperation(
                _(
                    "“%(name)s” was to be opened with the mode “%(mode)s”, but stored "
                    "files are never changed. Open it with “rb”, or save a new file."
                )
                % {"name": name, "mode": mode}
            )
        return os.fdopen(self.tree.open(self._key(name)), mode)

    def _open(self, name: str, mode: str = "rb") -> "StoredFile":
        return StoredFile(self, name, mode)

    def _save(self, name: str, content: Any) -> str:
        expected = _announced(content)
        with self.tree.staged(_bytes_of(content), expected, Hand()) as (staging, _size):
            while True:
                key = self._key(name)
                try:
                    self.tree.place(staging, self.tree.parts(key), Hand())
                except TargetOccupied:
                    # Another save was first between get_available_name and here. A
                    # file in a folder's place stays in the way of any other name.
                    if not self.exists(name):
                        raise
                    name = self.get_available_name(name)
                else:
                    return key

    def delete(self, name: str) -> None:
        if not name:
            raise ValueError(_("The name must be given to delete()."))
        self.tree.delete(self._key(name))

    def exists(self, name: str) -> bool:
        key = self._key(name)
        return Path(self.location).is_dir() if key == "." else self.tree.exists(key)

    def size(self, name: str) -> int:
        return self.tree.status(self._key(name)).st_size

    def listdir(self, path: str) -> tuple[list[str], list[str]]:
        key = self._key(path)
        parts = () if key == "." else self.tree.parts(key)
        folders: list[str] = []
        files: list[str] = []
        with self.tree.folder(parts) as folder, os.scandir(folder) as entries:
            for entry in entries:
                is_folder = entry.is_dir(follow_symlinks=False)
                (folders if is_folder else files).append(entry.name)
        if not parts:
            folders = [name for name in folders if name != STAGING_FOLDER]
        return folders, files

    def path(self, name: str) -> str:
        """Return the local path; raise ``UnsafePath`` for a link on the way."""
        key = self._key(name)
        standing = Path(self.location)
        for part in Path(key).parts:  # none for the location itself
            standing /= part
            if standing.is_symlink():
                raise paths.unsafe(key)
        return str(standing)


def _announced(content: Any) -> Receipt | None:
    """Return the size that the content claims, if it is one of bytes."""
    if isinstance(getattr(content, "file", None), io.TextIOBase):
        return None
    size = getattr(content, "size", None)
    return None if size is None else Receipt(size, "")


def _bytes_of(content: Any) -> Iterator[bytes]:
    for chunk in content.chunks():
        yield chunk.encode() if isinstance(chunk, str) else chunk
