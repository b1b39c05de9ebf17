"""Types by first bytes: what they are, and whether they fit the extension."""

import io
import zipfile

import pytest
from django.conf import settings as portal_settings
from hypothesis import given
from hypothesis import settings as examples
from hypothesis import strategies as st

from upload import sniff
from upload.sniff import contradicts

OLE_HEAD = bytes.fromhex("D0CF11E0A1B11AE1") + b"\0" * 504
ODT = "application/vnd.oasis.opendocument.text"
WORD = f"{sniff.OFFICE}wordprocessingml.document"
EXCEL = f"{sniff.OFFICE}spreadsheetml.sheet"
DOCX_PARTS = ("[Content_Types].xml", "_rels/.rels", "word/document.xml")
ELF = b"\x7fELF\x02\x01\x01" + b"\0" * 9 + b"\x02\x00\x3e\x00" + b"\0" * 50
SAMPLES = {
    "a.pdf": (b"%PDF-1.7\n", "application/pdf"),
    "a.doc": (OLE_HEAD, "application/msword"),
    "a.xls": (OLE_HEAD, "application/vnd.ms-excel"),
    "a.rtf": (b"{\\rtf1\\ansi x}", "text/rtf"),
    "a.txt": (b"plain words\n", "text/plain"),
    "a.csv": (b"a,b\n1,2\n", "text/csv"),
    "a.gif": (b"GIF89a\1\0\1\0", "image/gif"),
    "a.jpeg": (b"\xff\xd8\xff\xe0\0\x10JFIF\0", "image/jpeg"),
    "a.jpg": (b"\xff\xd8\xff\xe0\0\x10JFIF\0", "image/jpeg"),
    "a.png": (b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR", "image/png"),
    "a.tif": (b"II*\0\x08\0\0\0", "image/tiff"),
    "a.tiff": (b"MM\0*\0\0\0\x08", "image/tiff"),
    "a.flac": (b"fLaC\0\0\0\x22" + b"\0" * 40, "audio/flac"),
    "a.mp3": (b"\xff\xfb\x90\x64" + b"\0" * 400, "audio/mpeg"),
    "a.wav": (b"RIFF\x24\0\0\0WAVEfmt ", "audio/x-wav"),
    "a.mkv": (b"\x1a\x45\xdf\xa3\x93\x42\x82\x88matroska", "video/x-matroska"),
    "a.mov": (b"\0\0\0\x14ftypqt  \0\0\0\0qt  ", "video/quicktime"),
    "a.mp4": (b"\0\0\0\x18ftypisom\0\0\2\0isomiso2", "video/mp4"),
}


def zip_of(*names: str, first: bytes = b"<x/>") -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        for name in names:
            archive.writestr(name, first)
    return packed.getvalue()


def extension(name: str) -> str:
    return name.rpartition(".")[2]


@pytest.fixture(params=["libmagic", "puremagic"])
def library(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Run the test with each library; the second as on a machine without libmagic."""
    if request.param == "puremagic":
        monkeypatch.setattr(sniff, "_libmagic", lambda: None)
    elif sniff._libmagic() is None:
        pytest.skip("libmagic is not installed")
    return str(request.param)


@pytest.mark.parametrize("name", SAMPLES)
def test_each_accepted_format_is_known(name: str) -> None:
    if sniff._libmagic() is None:
        pytest.skip("libmagic is not installed")
    head, content_type = SAMPLES[name]

    assert sniff.sniff(head, name) == content_type


@pytest.mark.parametrize("name", SAMPLES)
def test_no_sample_contradicts_its_extension(name: str, library: str) -> None:
    found = sniff.sniff(SAMPLES[name][0], name)

    assert contradicts(found, extension(name)) is False


@pytest.mark.parametrize("name", sorted(set(SAMPLES) - {"a.txt", "a.csv", "a.mp3"}))
def test_plain_text_contradicts_every_other_format(name: str, library: str) -> None:
    found = sniff.sniff(b"plain words\n", name)

    assert contradicts(found, extension(name)) is True


@pytest.mark.parametrize("name", SAMPLES)
def test_a_program_fits_no_accepted_extension(name: str, library: str) -> None:
    for head in (ELF, b"MZ\x90\0" + b"\0" * 60):
        assert contradicts(sniff.sniff(head, name), extension(name)) is True


def test_each_accepted_extension_has_a_row() -> None:
    accepted = {e for es in portal_settings.ACCEPTED_FILE_FORMATS.values() for e in es}

    assert accepted <= sniff.FITS.keys()


@pytest.mark.parametrize("name", ["a.pdf", "a.txt", "README"])
def test_an_empty_file_has_its_own_type_and_contradicts_nothing(name: str) -> None:
    assert sniff.sniff(b"", name) == sniff.EMPTY
    assert contradicts(sniff.EMPTY, extension(name)) is False


@pytest.mark.parametrize(
    ("head", "name", "content_type"),
    [
        (zip_of("a.txt"), "a.zip", sniff.ZIP),
        (zip_of("a.txt"), "a.docx", sniff.ZIP),
        (zip_of("word/a.txt"), "a.zip", sniff.ZIP),
        (zip_of(), "a.zip", sniff.ZIP),
        (zip_of(*DOCX_PARTS), "a.docx", WORD),
        (zip_of(*DOCX_PARTS), "a.xlsx", WORD),
        (zip_of(*DOCX_PARTS), "a.zip", WORD),
        (zip_of("word/numbering.xml"), "a.docx", WORD),
        (zip_of("[Content_Types].xml", "xl/workbook.xml"), "a.xlsx", EXCEL),
        (zip_of("[Content_Types].xml", first=b"x" * 9000), "a.xlsx", EXCEL),
        (zip_of("[Content_Types].xml"), "a.zip", sniff.ZIP),
        (zip_of("mimetype", "content.xml", first=ODT.encode()), "a.odt", ODT),
        (zip_of("mimetype", first=b"text/html\r\nX: y"), "a.odt", sniff.ZIP),
        (b"PK\x03\x04", "a.zip", sniff.ZIP),
    ],
)
def test_what_an_archive_is_stands_in_its_names(
    head: bytes, name: str, content_type: str, library: str
) -> None:
    assert sniff.sniff(head, name) == content_type


@pytest.mark.parametrize(
    ("content_type", "wrong"),
    [(sniff.ZIP, "docx"), (WORD, "xlsx"), (EXCEL, "docx"), (ODT, "ods"), (WORD, "pdf")],
)
def test_one_kind_of_archive_contradicts_another(content_type: str, wrong: str) -> None:
    assert contradicts(content_type, wrong) is True


@pytest.mark.parametrize("content_type", [sniff.ZIP, WORD, ODT])
def test_every_archive_may_be_called_zip(content_type: str) -> None:
    assert contradicts(content_type, "zip") is False


def test_an_encrypted_office_file_is_no_contradiction() -> None:
    assert contradicts(sniff.sniff(OLE_HEAD, "a.docx"), "docx") is False


@pytest.mark.parametrize("encoding", ["utf-8", "cp932", "euc_jp", "utf-16", "latin-1"])
def test_tables_in_old_encodings_are_tables(encoding: str, library: str) -> None:
    text = "a,é\r\n" if encoding == "latin-1" else "名前,値\r\n山田,1\r\n"

    assert sniff.sniff(text.encode(encoding) * 9, "a.CSV") == "text/csv"


def test_text_cut_inside_a_letter_is_text(library: str) -> None:
    head = ("a" + "日本語" * 4000).encode()

    assert sniff.sniff(head, "a.txt") == "text/plain"


@pytest.mark.parametrize("head", [b"a", b"\n", b"0"])
def test_a_single_character_is_text(head: bytes, library: str) -> None:
    assert sniff.sniff(head, "a.txt") == "text/plain"


@pytest.mark.parametrize("name", ["a.txt", "a.csv", "a.pdf", "a.png", "README"])
def test_html_is_told_under_any_name(name: str, library: str) -> None:
    found = sniff.sniff(b"<!DOCTYPE html><html><script>1</script></html>", name)

    assert found == "text/html"


def test_html_in_a_text_file_may_be_kept_but_not_in_a_picture() -> None:
    assert contradicts("text/html", "txt") is False
    assert contradicts("text/html", "png") is True


@pytest.mark.parametrize(
    "content_type",
    [
        "text/html",
        "image/svg+xml",
        "application/x-dosexec",
        "application/vnd.microsoft.portable-executable",
        "application/javascript",
        "text/x-shellscript",
        "text/x-script.python",
        "text/x-php",
    ],
)
def test_what_can_run_needs_an_extension_of_its_own(content_type: str) -> None:
    assert contradicts(content_type, "dat") is True


@pytest.mark.parametrize("content_type", ["image/heic", sniff.UNKNOWN, "text/plain"])
def test_an_extension_without_a_row_takes_what_cannot_run(content_type: str) -> None:
    assert contradicts(content_type, "dat") is False


def test_nothing_behind_the_head_is_looked_at(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    seen: list[int] = []

    def ask(head: bytes) -> str:
        seen.append(len(head))
        return "text/plain"

    monkeypatch.setattr(sniff, "_libmagic", lambda: ask)

    sniff.sniff(b"x" * 100_000, "a.txt")

    assert seen == [sniff.HEAD_BYTES]


@given(st.binary(max_size=300), st.sampled_from([b"", b"PK\x03\x04", OLE_HEAD[:8]]))
@examples(max_examples=200)
def test_any_bytes_have_a_type_that_can_stand_in_a_header(
    tail: bytes, start: bytes
) -> None:
    found = sniff.sniff(start + tail, "a.docx")

    assert found.isascii() and found.isprintable()
    assert 3 <= len(found) <= 127
