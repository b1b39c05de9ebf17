"""A stream of bytes cut into parts of one length, for servers that take parts."""

from collections.abc import Iterable, Iterator

from upload.copy_engine import Beat, Hasher


def regrouped(
    chunks: Iterable[bytes], length: int, hasher: Hasher, beat: Beat
) -> Iterator[bytes]:
    """Yield the same bytes in stretches of ``length``; an empty file as one of none."""
    waiting: list[bytes] = []
    held = 0
    for chunk in chunks:
        data = bytes(chunk)
        hasher.update(data)
        beat(len(data))
        # Only when more has come: what is left then is never empty.
        while held + len(data) > length:
            yield b"".join([*waiting, data[: length - held]])
            data = data[length - held :]
            waiting, held = [], 0
        waiting.append(data)
        held += len(data)
    yield b"".join(waiting)
