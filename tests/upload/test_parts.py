"""Streams cut into parts, and the sums that go along with them."""

import pytest

from upload.copy_engine import Hasher, silent
from upload.targets.parts import regrouped
from upload.targets.s3_upload import md5_of, summed

LENGTH = 8


@pytest.mark.parametrize(
    ("chunks", "parts"),
    [
        ([], [0]),
        ([0], [0]),
        ([5], [5]),
        ([8], [8]),
        ([9], [8, 1]),
        ([8, 8], [8, 8]),
        ([3, 5, 8, 1], [8, 8, 1]),
        ([20], [8, 8, 4]),
        ([1] * 17, [8, 8, 1]),
        ([16, 0], [8, 8]),
    ],
)
def test_parts_hold_the_same_bytes_and_none_is_empty(
    chunks: list[int], parts: list[int]
) -> None:
    data = bytes(range(sum(chunks)))
    pieces = iter(data)
    stream = [bytes(next(pieces) for _n in range(count)) for count in chunks]
    with Hasher() as hasher:
        found = list(regrouped(stream, LENGTH, hasher, silent))
    assert [len(part) for part in found] == parts
    assert b"".join(found) == data
    assert hasher.size_bytes == len(data)


@pytest.mark.parametrize("count", [1, 2, 5])
def test_each_part_goes_with_its_own_sum_and_in_order(count: int) -> None:
    parts = [bytes([number]) * 3 for number in range(count)]
    assert list(summed(iter(parts))) == [(part, md5_of(part)) for part in parts]


def test_a_stream_that_fails_fails_the_parts_after_it() -> None:
    def stream():  # type: ignore[no-untyped-def]
        yield b"one"
        raise OSError("gone")

    with pytest.raises(OSError, match="gone"):
        list(summed(stream()))
