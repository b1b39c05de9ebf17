"""Bytes are found where ``bytes.find`` finds them, whoever looks."""

import random

import pytest

from upload import needle


@pytest.fixture(params=["memmem", "bytes.find"])
def finder(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    if request.param == "bytes.find":
        monkeypatch.setattr(needle, "_memmem", lambda: None)
    else:
        assert needle._memmem() is not None
        monkeypatch.setattr(needle, "LEAST_BYTES", 0)


@pytest.mark.usefixtures("finder")
@pytest.mark.parametrize(
    ("data", "wanted", "start"),
    [
        (b"one two one", b"one", 0),
        (b"one two one", b"one", 1),
        (b"one two one", b"one", 8),
        (b"one two one", b"one", 9),
        (b"one two one", b"three", 0),
        (b"one", b"one more", 0),
        (b"one", b"one", 3),
        (b"one", b"one", 9),
        (b"one", b"", 1),
        (b"", b"one", 0),
        (b"", b"", 0),
        (b"a\0b\0c", b"\0c", 0),
        (b"a\0b\0c", b"\0", 2),
        (b"end here\r\n--x", b"\r\n--x", 0),
    ],
)
def test_it_answers_as_bytes_find_does(data: bytes, wanted: bytes, start: int) -> None:
    assert needle.find(data, wanted, start) == data.find(wanted, start)


@pytest.mark.usefixtures("finder")
def test_it_answers_so_of_any_bytes() -> None:
    some = random.Random(1841)
    for _round in range(2000):
        data = bytes(some.choices(b"\r\n-ab", k=some.randrange(60)))
        wanted = bytes(some.choices(b"\r\n-ab", k=some.randrange(5)))
        start = some.randrange(70)
        assert needle.find(data, wanted, start) == data.find(wanted, start)
