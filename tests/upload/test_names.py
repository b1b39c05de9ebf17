"""What a file may be called, and when two names are one."""

import unicodedata
from typing import Any

import pytest
from hypothesis import given
from hypothesis import settings as examples
from hypothesis import strategies as st

from upload import names
from upload.errors import NameRefused

PRECOMPOSED, DECOMPOSED = "caf\u00e9.txt", "cafe\u0301.txt"
FAMILY = "\U0001f468\u200d\U0001f469\u200d\U0001f467"


def refusal(name: str) -> NameRefused:
    with pytest.raises(NameRefused) as caught:
        names.clean_display_name(name)
    return caught.value


def path_refusal(path: str) -> NameRefused:
    with pytest.raises(NameRefused) as caught:
        names.clean_relative_path(path)
    return caught.value


@pytest.mark.parametrize(
    ("raw", "kept"),
    [
        ("../../x", "x"),
        (r"..\..\x", "x"),
        ("/etc/x", "x"),
        (r"C:\x\y.txt", "y.txt"),
        (r"a/b\c.pdf", "c.pdf"),
        ("%2e%2e%2fx", "%2e%2e%2fx"),
    ],
)
def test_only_the_base_name_is_kept(raw: str, kept: str) -> None:
    assert names.clean_display_name(raw) == kept


@pytest.mark.parametrize(
    "name",
    [
        *("CON", "aux.txt", "COM1.tar.gz", "trailing.", "trailing ", "a:b", '<>|?*"'),
        *("-rf", ".htaccess", "~x", "=1+1", "@x", ";x", "`id`", "$(id)", "...."),
        *(
            "{0.__class__}",
            "%s",
            "{{7*7}}",
            "報告\u3000書.pdf",
            PRECOMPOSED,
            DECOMPOSED,
        ),
        *("می\u200cخواهم.pdf", f"{FAMILY}.jpg", "x" * 255, "é" * 127),
    ],
)
def test_odd_names_are_kept_as_they_are(name: str) -> None:
    assert names.clean_display_name(name) == name


@pytest.mark.parametrize("name", ["", ".", "..", "a/..", "a/", "C:\\", "....//", " "])
def test_a_file_without_a_name_is_refused(name: str) -> None:
    assert refusal(name).code == "name_empty"


@pytest.mark.parametrize("char", [*"\0\n\r\x1b\x7f\x85\x9f", "\u2028", "\u2029"])
def test_control_characters_are_refused(char: str) -> None:
    error = refusal(f"a{char}b.pdf")

    assert error.code == "name_has_control_characters"
    assert f"U+{ord(char):04X}" in error.reason
    assert char not in error.reason


@pytest.mark.parametrize(
    "char", "\u061c\u200b\u200e\u200f\u202a\u202e\u2060\u2069\ufeff"
)
def test_invisible_and_turning_characters_are_refused(char: str) -> None:
    error = refusal(f"{char}fdp.exe")

    assert error.code == "name_has_invisible_characters"
    assert char not in str(error)


def test_a_lone_surrogate_is_refused() -> None:
    assert refusal("a\udc80.pdf").code == "name_not_unicode"


@pytest.mark.parametrize("name", ["x" * 256, "é" * 128, "\U0001f600" * 64, "\0" * 256])
def test_a_name_above_255_bytes_is_refused_and_never_cut(name: str) -> None:
    error = refusal(name)

    assert error.code == "name_too_long"
    assert f"has {len(name.encode())} bytes; a name may have at most 255" in str(error)


def test_a_refusal_carries_the_name_as_it_came_and_a_short_message() -> None:
    error = refusal("%s" * 100_000)

    assert error.name == "%s" * 100_000
    assert len(error.reason) < 300


@given(st.text(st.characters(exclude_categories=[])))
@examples(max_examples=200)
def test_a_cleaned_name_is_clean(raw: str) -> None:
    try:
        name = names.clean_display_name(raw)
    except NameRefused:
        return

    assert names.clean_display_name(name) == name
    assert 0 < len(name.encode()) <= 255
    assert raw.endswith(name)


@pytest.mark.parametrize(
    ("raw", "path"),
    [("a/b/c.txt", "a/b/c.txt"), (r"a\b.txt", "a/b.txt"), ("c.txt", ""), ("", "")],
)
def test_a_folder_path_is_kept_with_slashes(raw: str, path: str) -> None:
    assert names.clean_relative_path(raw) == path


@pytest.mark.parametrize("raw", ["/a/b", r"\\host\b", r"C:\a\b", "c:/b", "../b", "./b"])
def test_a_path_from_outside_its_folder_is_refused(raw: str) -> None:
    assert path_refusal(raw).code == "path_not_relative"


@pytest.mark.parametrize(
    ("raw", "code"),
    [
        ("a/../b", "name_empty"),
        ("a//b", "name_empty"),
        ("a/", "name_empty"),
        ("a/\u202eb", "name_has_invisible_characters"),
        ("a\n/b", "name_has_control_characters"),
        ("x" * 256 + "/b", "name_too_long"),
        ("a/" * 32 + "b", "path_too_long"),
        ("é/" * 342 + "b", "path_too_long"),
        ("\udc80" * 400 + "/b", "path_too_long"),
    ],
)
def test_each_part_of_a_path_must_be_clean(raw: str, code: str) -> None:
    assert path_refusal(raw).code == code


def test_a_path_of_32_levels_and_1024_bytes_is_kept() -> None:
    path = "x" * 32 + ("/" + "x" * 31) * 31

    assert names.clean_relative_path(path) == path
    assert (path.count("/"), len(path)) == (31, 1024)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("A.TXT", "a.txt"),
        (PRECOMPOSED, DECOMPOSED),
        ("Straße", "STRASSE"),
        ("ﬁle", "FILE"),
        ("Ａ", "a"),
    ],
)
def test_names_that_some_file_system_confuses_share_a_key(one: str, other: str) -> None:
    assert names.collision_key(one) == names.collision_key(other)


def test_other_names_have_other_keys() -> None:
    assert names.collision_key("a.txt") != names.collision_key("a.pdf")


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("report.pdf", "report (2).pdf"),
        ("Backup.tar.gz", "Backup (2).tar.gz"),
        ("crawl.warc.gz", "crawl (2).warc.gz"),
        ("v1.2.gz", "v1.2 (2).gz"),
        ("a.b.pdf", "a.b (2).pdf"),
        ("README", "README (2)"),
        (".htaccess", ".htaccess (2)"),
        ("Dr. Smith", "Dr. Smith (2)"),
        ("x.pdf. ", "x (2).pdf. "),
        ("..", ".. (2)"),
    ],
)
def test_a_number_stands_before_the_extension(name: str, expected: str) -> None:
    assert names.numbered(name, 2) == expected


def test_a_folder_has_no_extension() -> None:
    assert names.numbered("v1.2", 3, keep_extension=False) == "v1.2 (3)"


@pytest.mark.parametrize("end", ["e\u0301", FAMILY, "\U0001f44d\U0001f3fd"])
def test_a_long_stem_is_cut_between_letters(end: str) -> None:
    # 255 bytes without " (2).pdf" are 247: the limit falls into the last letter.
    stem = "x" * 246

    assert names.numbered(f"{stem}{end}.pdf", 2) == f"{stem} (2).pdf"


@given(st.text(max_size=300), st.integers(2, 99_999), st.booleans())
@examples(max_examples=200)
def test_a_numbered_name_fits_and_shows_its_number(
    name: str, number: int, keep: bool
) -> None:
    numbered = names.numbered(name, number, keep_extension=keep)

    assert len(numbered.encode()) <= 255
    assert f" ({number})" in numbered


@pytest.mark.parametrize(
    ("name", "extension"),
    [
        ("x.PDF", "pdf"),
        ("x.phtml.", "phtml"),
        ("x.php. . ", "php"),
        ("x.pdf.exe", "exe"),
        ("x.svgz", "svgz"),
        ("x.tar.gz", "gz"),
        ("x.m\u212av", "m\u212av"),
        *(("README", ""), (".pdf", ""), ("..pdf", ""), ("x.", ""), ("", "")),
    ],
)
def test_the_real_extension_is_the_last(name: str, extension: str) -> None:
    assert names.real_extension(name) == extension


@pytest.mark.parametrize("name", ["x.PDF", "x.exe.png", "x.pdf. "])
def test_listed_extensions_are_accepted(settings: Any, name: str) -> None:
    settings.ACCEPTED_FILE_FORMATS = {"PDF": ["pdf"], "Image": ["png"]}

    names.require_accepted_extension(name)


@pytest.mark.parametrize("name", ["x.svg", "x.pdf.exe", "x.phtml.", "x.pdf:y", "x.p"])
def test_other_extensions_are_refused_with_what_is_accepted(
    settings: Any, name: str
) -> None:
    settings.ACCEPTED_FILE_FORMATS = {"PDF": ["pdf"], "Image": ["png"]}

    with pytest.raises(NameRefused, match=r"not accepted.*: pdf, png\.$") as caught:
        names.require_accepted_extension(name)
    assert caught.value.code == "extension_not_accepted"


def test_a_name_without_an_extension_is_refused() -> None:
    with pytest.raises(NameRefused, match="“README” has no extension"):
        names.require_accepted_extension("README")


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("a\r\nFAKE.log", r"a\r\nFAKE.log"),
        ("\x1b[31mred", r"\x1b[31mred"),
        ("\u202efdp.exe", r"\u202efdp.exe"),
        ("a\u2028b", r"a\u2028b"),
        ("\udc80", r"\udc80"),
        (r"a\nb", r"a\\nb"),
        ("{0.__class__} %s {{7*7}}", "{0.__class__} %s {{7*7}}"),
        ("報告\u3000書.pdf", "報告\u3000書.pdf"),
    ],
)
def test_a_log_shows_what_cannot_be_seen(name: str, shown: str) -> None:
    assert names.printable(name) == shown


@given(st.text(st.characters(exclude_categories=[])))
@examples(max_examples=200)
def test_a_printed_name_is_one_line_of_text_that_can_be_read_back(name: str) -> None:
    shown = names.printable(name)

    assert len(shown.splitlines()) <= 1
    assert not any(unicodedata.category(char) in {"Cc", "Cs"} for char in shown)
    escaped = shown.encode("ascii", "backslashreplace")
    assert escaped.decode("unicode_escape") == name
