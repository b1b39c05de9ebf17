"""Long files one behind the other: one reaches the disk while the next is read.

Each is verified by what the disk gives back and placed without replacing, as
``Tree.put`` does; only the waiting is shared.
"""

from collections.abc import Callable
from contextlib import ExitStack
from types import TracebackType
from typing import Self

from upload.copy_engine import Receipt
from upload.errors import FILE_ERRORS
from upload.group import Parcel
from upload.tree import Hand, Tree


class Series:
    """Puts parcels; ``errors`` tell by key why some are not there.

    All others are placed when the block has ended without an error. After an error,
    which passes, the last one or two are dropped.
    """

    def __init__(self, tree: Tree, hand: Hand) -> None:
        self.errors: dict[str, Exception] = {}
        self._tree, self._hand = tree, hand
        self._key = ""
        self._finish: Callable[[], Receipt] | None = None
        self._stack = ExitStack()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        with self._stack:
            if kind is None:
                self._end()

    def put(self, parcel: Parcel) -> None:
        """Write the parcel, then finish the one before it."""
        stack = ExitStack()
        putting = self._tree.putting(
            parcel.key, parcel.chunks, parcel.expected, self._hand
        )
        try:
            finish = stack.enter_context(putting)
        except FILE_ERRORS as error:
            self.errors[parcel.key] = error
            return
        with stack:
            self._end()
            self._key, self._finish, self._stack = parcel.key, finish, stack.pop_all()

    def _end(self) -> None:
        """Finish what was put last; a second call does nothing."""
        finish, self._finish = self._finish, None
        with self._stack:
            if finish is not None:
                try:
                    finish()
                except FILE_ERRORS as error:
                    self.errors[self._key] = error
