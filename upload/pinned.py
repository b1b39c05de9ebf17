"""A tree that keeps its folders open while one batch works in them.

A folder that was not there is not looked for again until it is made here, and what is
to be placed in it is not looked for either.

Walking from the root for every file costs ten system calls a file; a batch goes to the
same few folders again and again. Not shared between threads; closed by its batch.
"""

import errno
import os
from collections import Counter, OrderedDict
from collections.abc import Sequence
from contextlib import suppress

from upload import paths
from upload.durable import Entry, FolderSyncs, most_descriptors
from upload.tree import Tree, remove_entry

MOST_FOLDERS = 64


class PinnedTree(Tree):
    """Keeps up to 64 folders open, and all in use; prunes emptied ones at its end."""

    def __init__(self, tree: Tree) -> None:
        super().__init__(tree._open_root, tree.layout)
        self._held: OrderedDict[tuple[str, ...], int] = OrderedDict()
        self._used: Counter[tuple[str, ...]] = Counter()
        self._missing: set[tuple[str, ...]] = set()
        self._made: set[tuple[str, ...]] = set()
        self._emptied: dict[tuple[str, ...], None] = {}
        self._device: int | None = None
        self._most = most_descriptors(MOST_FOLDERS)

    def folder(self, parts: Sequence[str], *, make: bool = False) -> "_InUse":
        return _InUse(self, tuple(parts), make=make)

    def entry(self, key: str) -> "_EntryInUse":
        return _EntryInUse(self, self.parts(key))

    def may_stand(self, parts: Sequence[str]) -> bool:
        return tuple(parts[:-1]) not in self._made and super().may_stand(parts)

    def use(self, parts: tuple[str, ...], *, make: bool) -> int:
        """Return an open folder that stays open until ``leave``."""
        if parts not in self._held:
            self._hold(parts, make=make)
        self._used[parts] += 1
        self._held.move_to_end(parts)
        return self._held[parts]

    def leave(self, parts: tuple[str, ...]) -> None:
        self._used[parts] -= 1

    def _hold(self, parts: tuple[str, ...], *, make: bool) -> None:
        if parts in self._missing and not make:
            code = errno.ENOENT
            raise FileNotFoundError(code, os.strerror(code), "/".join(parts))
        try:
            with super().folder(parts, make=make) as folder:
                self._held[parts] = os.dup(folder)
        except FileNotFoundError:
            self._missing.add(parts)
            raise
        if parts in self._missing:
            self._missing.remove(parts)
            self._made.add(parts)
        if len(self._held) > self._most:
            idle = (held for held in self._held if not self._used[held])
            if (oldest := next(idle)) != parts:
                self.forget(oldest)

    def forget(self, parts: Sequence[str]) -> None:
        """Let go of a folder, as of one that another process has pruned.

        One that somebody works in right now stays open.
        """
        held = tuple(parts)
        if held in self._held and not self._used[held]:
            os.close(self._held.pop(held))

    def device(self) -> int:
        if self._device is None:
            self._device = super().device()
        return self._device

    def delete(self, key: str, syncs: FolderSyncs | None = None) -> None:
        """Unlink a key; ``prune`` removes its folders and notes those that stay.

        Nothing is noted here: a folder that goes with its file needs no sync.
        """
        *folders, name = self.parts(key)
        with (
            suppress(FileNotFoundError, NotADirectoryError),
            self.folder(folders) as folder,
        ):
            remove_entry(Entry(folder, name))
        self._emptied[tuple(folders)] = None

    def prune(self, syncs: FolderSyncs) -> None:
        """Remove the folders that ``delete`` has left empty, and their parents."""
        with (
            suppress(FileNotFoundError, NotADirectoryError),
            paths.closing(self._open_root(None)) as root,
        ):
            paths.prune_empty(root, self._emptied, syncs)
        self._emptied.clear()

    def close(self) -> None:
        for descriptor in self._held.values():
            os.close(descriptor)
        self._held.clear()


class _InUse:
    """A folder while somebody works in it; a class, for each file asks some times."""

    __slots__ = ("_make", "_parts", "_tree")

    def __init__(self, tree: PinnedTree, parts: tuple[str, ...], *, make: bool) -> None:
        self._tree, self._parts, self._make = tree, parts, make

    def __enter__(self) -> int:
        return self._tree.use(self._parts, make=self._make)

    def __exit__(self, *error: object) -> None:
        self._tree.leave(self._parts)


class _EntryInUse:
    """A name in a folder while somebody works there."""

    __slots__ = ("_folder", "_name")

    def __init__(self, tree: PinnedTree, parts: tuple[str, ...]) -> None:
        self._folder, self._name = _InUse(tree, parts[:-1], make=False), parts[-1]

    def __enter__(self) -> Entry:
        return Entry(self._folder.__enter__(), self._name)

    def __exit__(self, *error: object) -> None:
        self._folder.__exit__(*error)
