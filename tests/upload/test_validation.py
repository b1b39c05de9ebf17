"""The validators of a file that arrives by HTTP, and the fields beside it."""

from collections.abc import Iterator

import pytest

from upload import validation
from upload.copy_engine import Receipt
from upload.errors import BodyRefused, NameRefused, TooLarge, TypeRefused
from upload.staging import StagedFile


def staged(name: str, head: bytes) -> StagedFile:
    receipt = Receipt(len(head), "")
    return StagedFile(
        name, head, receipt, (lambda: iter([head]), lambda key, expected: receipt)
    )


def endless() -> Iterator[bytes]:
    while True:
        yield bytes(1 << 20)


def test_the_name_is_asked_before_its_extension() -> None:
    with pytest.raises(NameRefused) as refused:
        validation.name_before_bytes("a\u202e.exe")

    assert refused.value.code == "name_has_invisible_characters"


def test_a_name_whose_characters_were_lost_is_refused() -> None:
    with pytest.raises(NameRefused, match="lost on the way"):
        validation.name_before_bytes("a\ufffd.txt")


def test_the_extension_is_read_without_case_and_trailing_dots() -> None:
    assert validation.name_before_bytes("SCAN.PDF. ") == "SCAN.PDF. "


def test_an_endless_file_is_stopped_at_the_limit() -> None:
    with pytest.raises(TooLarge, match=r"“a\.txt” is larger than"):
        for _chunk in validation.counted("a.txt", endless()):
            pass


@pytest.mark.parametrize(
    ("name", "head"),
    [
        ("a.pdf", b"%PDF-1.7\n"),
        ("a.txt", "日本語".encode("shift_jis")),
        ("a.txt", b""),
        ("a.csv", b"a;b\n1;2\n"),
        ("a.TIF", b"II*\x00" + bytes(20)),
        ("a.gif", b"GIF89a" + bytes(30)),
    ],
)
def test_bytes_of_the_kind_that_the_name_says_pass(name: str, head: bytes) -> None:
    validation.after_bytes(staged(name, head))


def test_the_refusal_of_a_kind_names_both() -> None:
    with pytest.raises(TypeRefused, match=r"called \.pdf, but its bytes are image/gif"):
        validation.after_bytes(staged("a.pdf", b"GIF89a" + bytes(30)))


def test_a_digest_is_taken_in_either_case() -> None:
    assert validation.digest_of_field("A" * 64) == "a" * 64
    assert validation.digest_of_field("") == ""


@pytest.mark.parametrize("text", ["a" * 63, "g" * 64, " " + "a" * 64, "a" * 64 + "\n"])
def test_a_digest_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(BodyRefused, match="64 hexadecimal digits"):
        validation.digest_of_field(text)
