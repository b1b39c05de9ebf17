"""One thing under way while the next is begun: the waits for the disk overlap."""

from collections.abc import Callable
from contextlib import ExitStack
from typing import Self

from upload.tree import Hand, Tree


class Overlapping:
    """Finishes each thing after the next was begun; the last when the block ends.

    ``errors`` tell by key why some files are not there. After any other error, which is
    raised, what was not finished by then is dropped.
    """

    def __init__(self, tree: Tree, hand: Hand) -> None:
        self.errors: dict[str, Exception] = {}
        self._tree, self._hand = tree, hand
        self._under_way = ExitStack()
        self._finish: Callable[[], object] | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_more: object) -> None:
        with self._under_way:
            if kind is None:
                self._end()

    def _begun(self, stack: ExitStack, finish: Callable[[], object]) -> None:
        """Finish the one before; take over ``stack``, which drops what is unfinished.

        ``stack`` stays the caller's where that raises.
        """
        self._end()
        self._finish, self._under_way = finish, stack.pop_all()

    def _end(self) -> None:
        """Finish what was begun last; a second call does nothing."""
        finish, self._finish = self._finish, None
        with self._under_way:
            if finish is not None:
                finish()
