"""Counts and sizes in words, in several languages."""

from typing import Any

import pytest
from django.utils import translation

from upload.quantities import count_by_format, quantity_text, size_text

FORMATS = {"PDF": ["pdf"], "Image": ["jpg", "png"]}


@pytest.mark.parametrize(
    ("size_bytes", "text"),
    [
        (0, "0 B"),
        (1, "1 B"),
        (999, "999 B"),
        (1000, "1.00 kB"),
        (1_234_567, "1.23 MB"),
        (1_239_999, "1.24 MB"),
        (999_994, "999.99 kB"),
        (999_999, "1.00 MB"),
        (5 * 1000**3, "5.00 GB"),
        (10**15, "1.00 PB"),
        (2**63 - 1, "9223.37 PB"),
    ],
)
def test_a_size_has_two_decimals_and_steps_of_a_thousand(
    size_bytes: int, text: str
) -> None:
    assert size_text(size_bytes) == text


def test_a_size_is_written_as_the_language_writes_it() -> None:
    with translation.override("fr"):
        assert "1,23" in size_text(1_234_567)


@pytest.mark.parametrize(
    ("names", "text"),
    [
        ([], "0 files"),
        (["a.pdf"], "1 PDF file"),
        (["a.pdf", "b.PDF"], "2 PDF files"),
        (["a.png", "b.JPG", "c.pdf"], "1 PDF file and 2 Image files"),
        (["a.exe"], "1 other file"),
        (["README", "x.tar", "a.pdf. "], "1 PDF file and 2 other files"),
        (["x", "a.pdf", "b.png"], "1 PDF file, 1 Image file and 1 other file"),
    ],
)
def test_files_are_counted_by_format(names: list[str], text: str) -> None:
    assert count_by_format(names, FORMATS) == text


def test_formats_may_be_written_in_capitals() -> None:
    assert count_by_format(["a.pdf"], {"PDF": ["PDF"]}) == "1 PDF file"


def test_names_are_never_taken_for_formats() -> None:
    assert count_by_format(["%(count)d.%s"], {"100%": ["x"]}) == "1 other file"


def test_count_and_size_make_one_phrase(settings: Any) -> None:
    settings.ACCEPTED_FILE_FORMATS = FORMATS

    text = quantity_text(["a.pdf", "b.pdf", "c.png"], 1_234_567)

    assert text == "2 PDF files and 1 Image file, totalling 1.23 MB"


@pytest.mark.parametrize("language", ["ja", "fr"])
@pytest.mark.parametrize("count", [0, 1, 2])
def test_every_language_has_words(language: str, count: int) -> None:
    with translation.override(language):
        assert str(count) in quantity_text(["a.pdf"] * count, count)
