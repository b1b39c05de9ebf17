"""Long files one behind the other: one is read back while the next is written.

Each is verified by what the disk gives back and placed without replacing, as
``Tree.put`` does; only the waiting is shared.
"""

from collections.abc import Callable
from contextlib import ExitStack

from upload.copy_engine import SYNC_EVERY_BYTES, Receipt
from upload.errors import FILE_ERRORS
from upload.group import Parcel
from upload.overlap import Overlapping


class Series(Overlapping):
    """Puts parcels; all but those in ``errors`` are placed when the block has ended."""

    def put(self, parcel: Parcel) -> None:
        """Write the parcel durably, then finish one before it."""
        stack = ExitStack()
        putting = self._tree.putting(
            parcel.key, parcel.chunks, parcel.expected, self._hand
        )
        try:
            finish = stack.enter_context(putting)
        except FILE_ERRORS as error:
            self.errors[parcel.key] = error
            return
        # To read one back and hash it takes twice as long as to write one. Of a longer
        # file the most was read when it was written, and much would be lost in a stop.
        size_bytes = parcel.expected.size_bytes
        self.most_under_way = 2 if size_bytes <= 2 * SYNC_EVERY_BYTES else 1
        with stack:
            self._begun(stack, lambda: self._place(parcel.key, finish))

    def _place(self, key: str, finish: Callable[[], Receipt]) -> None:
        try:
            finish()
        except FILE_ERRORS as error:
            self.errors[key] = error
