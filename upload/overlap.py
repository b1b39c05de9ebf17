"""Things under way while the next is begun: the waits overlap."""

from collections import deque
from collections.abc import Callable
from contextlib import ExitStack
from types import TracebackType
from typing import Self

from upload.tree import Hand, Tree


class Overlapping:
    """Finishes each thing when ``most_under_way`` more were begun, or the block ends.

    ``errors`` tell by key why some files are not there. After any other error, which is
    raised, what was not finished by then is dropped.
    """

    most_under_way = 1

    def __init__(self, tree: Tree, hand: Hand) -> None:
        self.errors: dict[str, Exception] = {}
        self._tree, self._hand = tree, hand
        self._under_way: deque[tuple[ExitStack, Callable[[], object]]] = deque()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        with ExitStack() as unfinished:
            for stack, _finish in self._under_way:
                unfinished.push(stack)
            if error is not None:
                raise error  # so what is under way is told that it is dropped
            while self._under_way:
                self._end_first()

    def _begun(self, stack: ExitStack, finish: Callable[[], object]) -> None:
        """Finish the first where too many are under way; take over ``stack``.

        That drops what is unfinished, and stays the caller's where this raises.
        """
        while len(self._under_way) >= self.most_under_way:
            self._end_first()
        self._under_way.append((stack.pop_all(), finish))

    def _end_first(self) -> None:
        stack, finish = self._under_way.popleft()
        with stack:
            finish()
