"""Bags: what an independent validator says of them, and what they say of themselves."""

import csv
from pathlib import Path
from typing import Any

import bagit
import pytest

from tests.make import make_destination, run
from tests.upload.bags import PLAIN, ask, copied, folder_of, lay_out, stored
from upload import bag
from upload.layout import BAG, bag_segment
from upload.models import Destination, Submission

# The validator's own, on Python 3.13.
pytestmark = pytest.mark.filterwarnings("ignore:'count' is passed as positional")
on_real_commits = pytest.mark.django_db(transaction=True)
AWKWARD = {
    "Ünïcode/日本語.txt": b"1",
    "100%.txt": b"2",
    "%41.txt": b"3",
    "100_.txt": b"4",
    "CON.txt": b"5",
    "a:b?.txt": b"6",
    "trailing /dots./x": b"7",
    "nothing.txt": b"",
    "Report.txt": b"8",
    "report.TXT": b"9",
    "caf\u00e9/one.txt": b"10",
    "cafe\u0301/one.txt": b"11",
    "ends with a wide space\u3000": b"12",
    "=1+1.txt": b"13",
    "deep/er/and/deeper/file": b"14",
    "bagit.txt": b"15",
}


@pytest.fixture
def archive(tmp_path: Path) -> Destination:
    made = make_destination(tmp_path / "destinations" / "bags")
    lay_out(made, BAG)
    return made


@on_real_commits
def test_a_validator_accepts_a_bag_of_awkward_names(archive: Destination) -> None:
    folder = copied(AWKWARD, archive)

    assert bagit.Bag(str(folder)).validate() is True
    payload = [path for path in (folder / "data").rglob("*") if path.is_file()]
    assert sorted(p.read_bytes() for p in payload) == sorted(AWKWARD.values())


@on_real_commits
def test_the_names_in_a_bag_lead_back_to_those_received(archive: Destination) -> None:
    folder = copied(AWKWARD, archive)

    with (folder / bag.NAMES).open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))

    originals = {row["original_path"].removeprefix("'"): row for row in rows}
    assert originals.keys() == AWKWARD.keys()
    for path, content in AWKWARD.items():
        assert (folder / originals[path]["bag_path"]).read_bytes() == content


@on_real_commits
def test_no_cell_of_the_names_is_a_formula(archive: Destination) -> None:
    table = (copied({"=1+1.txt": b"1"}, archive) / bag.NAMES).read_text("utf-8")

    assert ",'=1+1.txt,'=1+1.txt," in table


@on_real_commits
def test_the_bag_says_whose_it_is_and_from_where(
    archive: Destination, settings: Any
) -> None:
    settings.ORGANISATION_NAME = "Town Archives"
    session = stored(PLAIN)
    about = {"title": "Letters\nand  photos", "source": "Ada", "extent": "2 files"}
    Submission.objects.create(
        accession_number="2026-17", upload_session=session, **about
    )
    run(ask(session, archive))

    info = bagit.Bag(str(folder_of(session, archive))).info

    assert info["Source-Organization"] == "Town Archives"
    assert info["External-Identifier"] == "2026-17"
    assert info["External-Description"] == "Letters and photos"
    assert info["Internal-Sender-Identifier"] == str(session.uuid)
    assert (info["Records-Source"], info["Payload-Oxum"]) == ("Ada", "9.2")


@on_real_commits
def test_a_bag_without_a_submission_is_known_by_its_session(
    archive: Destination,
) -> None:
    folder = copied(PLAIN, archive)

    info = bagit.Bag(str(folder)).info

    assert info["External-Identifier"] == folder.name
    assert "External-Description" not in info and "Source-Organization" not in info


def test_manifests_encode_what_the_standard_says_and_only_that() -> None:
    digests = [("data/é b*.txt", "1" * 64), ("data/a\r\n%.txt", "2" * 64)]

    assert bag.manifest_of(digests).decode() == (
        f"{'2' * 64}  data/a%0D%0A%25.txt\n{'1' * 64}  data/é b*.txt\n"
    )


@pytest.mark.parametrize(
    ("name", "safe"),
    [
        ("100%.txt", "100_.txt"),
        ("a\r\nb", "a_0D_0Ab"),
        ("x\u3000\u00a0", "x__"),
        ("a b", "a b"),
    ],
)
def test_no_name_in_a_bag_can_be_read_in_two_ways(name: str, safe: str) -> None:
    assert bag_segment(name) == safe


def test_the_tag_manifest_lists_the_others_and_bagit_txt_comes_last() -> None:
    names = list(bag.tag_files("A: b\n", b"manifest", b"names"))

    assert names[-2:] == [bag.TAG_MANIFEST, bag.BAGIT]
    listed = bag.tag_files("A: b\n", b"manifest", b"names")[bag.TAG_MANIFEST].decode()
    assert [line.split("  ")[1] for line in listed.splitlines()] == sorted(
        [*names[:-2], bag.BAGIT]
    )
