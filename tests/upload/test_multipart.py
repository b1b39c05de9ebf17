"""Multipart bodies, however they come in pieces: each byte arrives where it belongs."""

from io import BytesIO

import pytest
from django.test import override_settings
from hypothesis import given
from hypothesis import settings as examples
from hypothesis import strategies as st

from upload import multipart
from upload.errors import BodyRefused
from upload.multipart import MAX_HEADER_BYTES, read_parts

BOUNDARY = b"edge"
HEAD = b'Content-Disposition: form-data; name="file"; filename="a"\r\n\r\n'
LAST = b"\r\n--edge--\r\n"
# What looks like a boundary, whole or in part, and stands in the way of finding one.
NEARLY = [
    b"\r",
    b"\n",
    b"\r\n",
    b"\r\n-",
    b"\r\n--",
    b"\r\n--edg",
    b"--edge",
    b"edge",
    b"x",
]
# A sender's boundary begins no line of what it sends.
CONTENTS = (
    st.lists(st.sampled_from(NEARLY), max_size=12)
    .map(b"".join)
    .filter(lambda content: b"\r\n--edge" not in b"\r\n" + content)
)


class Trickle(BytesIO):
    """A body that comes in pieces of at most ``most`` bytes."""

    def __init__(self, body: bytes, most: int) -> None:
        super().__init__(body)
        self.most = most

    def read(self, size: int | None = -1) -> bytes:
        return super().read(self.most)


def body_of(*contents: bytes) -> bytes:
    parts = (b"--edge\r\n" + HEAD + content for content in contents)
    return b"\r\n".join(parts) + LAST


def read(body: bytes, most: int = 1 << 20) -> list[bytes]:
    parts = read_parts(Trickle(body, most), BOUNDARY)
    return [b"".join(part.chunks) for part in parts]


def refusal(body: bytes, most: int = 1 << 20) -> str:
    with pytest.raises(BodyRefused) as refused:
        read(body, most)
    return refused.value.code


@given(st.lists(CONTENTS, min_size=1, max_size=4), st.integers(1, 40))
@examples(max_examples=300)
def test_every_byte_arrives_however_the_body_comes(
    contents: list[bytes], most: int
) -> None:
    assert read(body_of(*contents), most) == contents


@given(CONTENTS, st.integers(1, 40), st.data())
@examples(max_examples=200)
def test_a_body_cut_anywhere_before_its_end_is_refused(
    content: bytes, most: int, data: st.DataObject
) -> None:
    whole = body_of(content)
    end = data.draw(st.integers(0, len(whole) - len(b"--\r\n") + 1))

    assert refusal(whole[:end], most)


@pytest.mark.parametrize("most", [1, 7, 1000])
def test_a_part_may_be_empty_with_or_without_a_line_of_its_own(most: int) -> None:
    without = b"--edge\r\n" + HEAD + b"--edge--\r\n"

    assert read(body_of(b"", b"x", b""), most) == [b"", b"x", b""]
    assert read(without, most) == [b""]


def test_what_comes_before_is_refused_but_an_empty_line() -> None:
    assert read(b"\r\n" + body_of(b"x")) == [b"x"]
    assert refusal(b"preamble\r\n" + body_of(b"x")) == "malformed_body"


def test_what_follows_the_last_boundary_is_left_unread() -> None:
    assert read(body_of(b"x") + b"epilogue") == [b"x"]


def test_a_part_nobody_read_is_passed_over() -> None:
    parts = read_parts(BytesIO(body_of(b"one", b"two")), BOUNDARY)

    assert [part.filename for part in parts] == ["a", "a"]


def test_headers_without_an_end_are_refused_soon() -> None:
    class Endless(BytesIO):
        def read(self, size: int | None = -1) -> bytes:
            return super().read(size) or b"x" * 1000

    with pytest.raises(BodyRefused, match="no end of headers"):
        next(read_parts(Endless(b"--edge\r\nA: "), BOUNDARY))


@pytest.mark.parametrize("most", [1, 1000, 1 << 20])
def test_headers_of_just_the_longest_length_are_read(most: int) -> None:
    padding = b"X: " + b"x" * (MAX_HEADER_BYTES - len(HEAD) - len(b"X: \r\n") + 4)
    fits = b"--edge\r\n" + padding + b"\r\n" + HEAD + b"x" + LAST

    assert read(fits, most) == [b"x"]
    assert refusal(fits.replace(b"X: ", b"X: x"), most) == "headers_unreadable"


def test_headers_do_not_reach_over_a_boundary() -> None:
    """``--a:b`` could pass for a header, and the part before it be lost."""
    lost = HEAD.removesuffix(b"\r\n").replace(b'"a"', b'"lost"')
    body = b"--a:b\r\n" + lost + b"--a:b\r\n" + HEAD + b"x\r\n--a:b--\r\n"

    with pytest.raises(BodyRefused, match="before its headers do"):
        list(read_parts(BytesIO(body), b"a:b"))


def test_a_long_file_is_given_on_as_it_came(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(multipart, "CHUNK_BYTES", 64)
    content = bytes(range(32, 127)) * 20

    (part,) = list(_lengths(body_of(content)))

    assert sum(part) == len(content)
    assert max(part) <= 64


def _lengths(body: bytes) -> list[list[int]]:
    return [
        [len(chunk) for chunk in part.chunks]
        for part in read_parts(BytesIO(body), BOUNDARY)
    ]


@override_settings(DATA_UPLOAD_MAX_NUMBER_FILES=2)
def test_one_part_more_than_allowed_is_refused() -> None:
    assert read(body_of(b"a", b"b")) == [b"a", b"b"]
    assert refusal(body_of(b"a", b"b", b"c")) == "too_many_parts"
