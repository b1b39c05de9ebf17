"""Target names that every file system holds, and that never meet."""

import random
import unicodedata
from itertools import accumulate
from urllib.parse import unquote

import pytest
from hypothesis import given
from hypothesis import settings as examples
from hypothesis import strategies as st

from upload.names import collision_key
from upload.portable_names import arrange, portable_segment

# Few letters, so that names meet often.
SEGMENTS = st.text("aAbé\u0301ﬁß. :%4()2", min_size=1, max_size=5)
PATHS = st.lists(SEGMENTS, min_size=1, max_size=3).map("/".join)
LONG = st.text(min_size=1, max_size=400).filter(lambda name: "/" not in name)


@pytest.mark.parametrize(
    ("name", "safe"),
    [
        ("report.pdf", "report.pdf"),
        ("a:b", "a%3Ab"),
        ('<>|?*"', "%3C%3E%7C%3F%2A%22"),
        ("trailing.", "trailing%2E"),
        ("trailing ", "trailing%20"),
        (" leading", "%20leading"),
        ("..", ".%2E"),
        ("100%.pdf", "100%.pdf"),
        ("%41.pdf", "%2541.pdf"),
        ("a\nb", "a%0Ab"),
        ("e\u0301", "é"),
        (".htaccess", ".htaccess"),
        ("a b-c_d.tar.gz", "a b-c_d.tar.gz"),
        ("a-.", "a-%2E"),
        ("con .txt", "%63on .txt"),
        ("", "_"),
    ],
)
def test_what_some_system_refuses_is_percent_encoded(name: str, safe: str) -> None:
    assert portable_segment(name) == safe


@pytest.mark.parametrize(
    "name", ["CON", "aux.txt", "COM1.tar.gz", "com¹", "LPT0.x", "nul .txt", "conin$"]
)
def test_device_names_are_disarmed(name: str) -> None:
    assert portable_segment(name) == f"%{ord(name[0]):02X}{name[1:]}"


@pytest.mark.parametrize("name", ["CONTRACT", "com10", "auxiliary.txt", "x.con", "lpt"])
def test_names_that_only_look_like_devices_are_kept(name: str) -> None:
    assert portable_segment(name) == name


@given(LONG)
@examples(max_examples=200)
def test_every_name_becomes_legal(name: str) -> None:
    safe = portable_segment(name)

    assert 0 < len(safe.encode()) <= 255
    assert not set(safe) & set('<>:"/\\|?*')
    assert not safe.startswith(" ")
    assert not safe.endswith((".", " "))
    assert unicodedata.is_normalized("NFC", safe)


@given(st.text(min_size=1, max_size=60))
@examples(max_examples=200)
def test_a_name_that_was_not_shortened_can_be_read_back(name: str) -> None:
    assert unquote(portable_segment(name)) == unicodedata.normalize("NFC", name)


def test_a_name_that_grows_keeps_its_extension_and_whole_escapes() -> None:
    safe = portable_segment("x" + ":" * 250 + ".pdf")

    assert safe == "x" + "%3A" * 83 + ".pdf"


def test_a_long_end_of_dots_is_cut_to_something_legal() -> None:
    assert portable_segment("." * 255) == "_"


def test_the_first_keeps_its_name_and_the_others_are_numbered() -> None:
    arranged = arrange([(2, "a.txt"), (3, "A.TXT"), (1, "a.txt"), (4, "b.txt")])

    assert arranged == {3: "A.TXT", 1: "a (2).txt", 2: "a (3).txt", 4: "b.txt"}


def test_a_number_never_takes_the_name_of_another_file() -> None:
    arranged = arrange([(1, "x"), (2, "x"), (3, "x (2)")])

    assert arranged == {1: "x", 2: "x (3)", 3: "x (2)"}


def test_a_file_and_a_folder_of_one_name_are_told_apart() -> None:
    arranged = arrange([("f", "a"), ("g", "A/x"), ("h", "A/y")])

    assert arranged == {"g": "A/x", "h": "A/y", "f": "a (2)"}


def test_folders_that_differ_in_case_stay_two_folders() -> None:
    arranged = arrange([(1, "Docs.v1/x"), (2, "docs.v1/x"), (3, "docs.v1/y")])

    assert arranged == {1: "Docs.v1/x", 2: "docs.v1 (2)/x", 3: "docs.v1 (2)/y"}


def test_a_numbered_folder_does_not_swallow_one_of_that_name() -> None:
    arranged = arrange([(1, "D/x"), (2, "d/x"), (3, "d (2)/x")])

    assert arranged == {1: "D/x", 2: "d (3)/x", 3: "d (2)/x"}


def test_names_that_meet_only_after_encoding_are_numbered() -> None:
    arranged = arrange([(1, "a:b"), (2, "a%3ab")])

    assert sorted(arranged.values()) == ["a%253ab", "a%3Ab"]


def test_many_files_of_one_name_are_arranged_quickly() -> None:
    arranged = arrange((number, "scan.pdf") for number in range(20_000))

    assert len(set(arranged.values())) == 20_000


@given(st.lists(PATHS, max_size=12), st.randoms(use_true_random=False))
@examples(max_examples=200)
def test_nothing_meets_whatever_the_order(
    paths: list[str], shuffler: random.Random
) -> None:
    pairs = list(enumerate(paths))
    arranged = arrange(pairs)
    shuffler.shuffle(pairs)

    assert arrange(pairs) == arranged
    assert arranged.keys() == set(range(len(paths)))
    _require_distinct(list(arranged.values()))


def _require_distinct(targets: list[str]) -> None:
    """Require one spelling a place, and that no file stands on another's way."""
    spelled: dict[tuple[str, ...], str] = {}
    files = {tuple(map(collision_key, target.split("/"))) for target in targets}
    assert len(files) == len(targets)
    for target in targets:
        for way in accumulate(target.split("/"), "{}/{}".format):
            place = tuple(map(collision_key, way.split("/")))
            assert spelled.setdefault(place, way) == way
            assert way == target or place not in files


@given(st.lists(LONG, max_size=6))
@examples(max_examples=100)
def test_arranged_names_are_legal_too(names: list[str]) -> None:
    for target in arrange(enumerate([*names, *names])).values():
        assert len(target.encode()) <= 255
        assert not set(target) & set('<>:"/\\|?*')
        assert target == target.strip(" ").rstrip(".")
