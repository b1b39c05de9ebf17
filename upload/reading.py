"""Many files read from one storage, one after the other, its folders kept open."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial

from django.core.files.storage import Storage

from upload.copy_engine import read_chunks
from upload.paths import giving
from upload.pinned import PinnedTree
from upload.storage import iter_chunks, whole_tree


@contextmanager
def reading(storage: Storage) -> Iterator[Callable[[str], Iterator[bytes]]]:
    """Yield a function that gives the bytes of a key as ``iter_chunks`` does.

    Not shared between threads; what it gave is read before the block ends.
    """
    tree = whole_tree(storage)
    if tree is None:
        yield partial(iter_chunks, storage)
        return
    pinned = PinnedTree(tree)
    try:
        yield partial(_read, pinned)
    finally:
        pinned.close()


def _read(tree: PinnedTree, key: str) -> Iterator[bytes]:
    with giving(key), tree.entry(key) as entry:
        yield from read_chunks(entry)
