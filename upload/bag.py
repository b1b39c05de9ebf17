"""What stands in the tag files of a BagIt 1.0 bag (RFC 8493).

Texts from facts: the same facts give the same bytes. Reads no file and no row.
"""

import csv
import hashlib
import io
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from upload.csv_cells import csv_cell

BAGIT = "bagit.txt"
BAG_INFO = "bag-info.txt"
MANIFEST = "manifest-sha256.txt"
TAG_MANIFEST = "tagmanifest-sha256.txt"
NAMES = "muniment-names.csv"
DECLARATION = b"BagIt-Version: 1.0\nTag-File-Character-Encoding: UTF-8\n"
SOFTWARE = "Muniment"
NAMES_HEADER = ("bag_path", "original_path", "original_name", "file_uuid")


def tag_files(bag_info: str, manifest: bytes, names: bytes) -> dict[str, bytes]:
    """Return all tag files by name in the order of writing; ``bagit.txt`` is last."""
    first = {NAMES: names, BAG_INFO: bag_info.encode(), MANIFEST: manifest}
    last = {BAGIT: DECLARATION}
    digests = [(name, sha256(text)) for name, text in (first | last).items()]
    return first | {TAG_MANIFEST: manifest_of(digests)} | last


def manifest_of(digests: Iterable[tuple[str, str]]) -> bytes:
    """Return a manifest of paths in the bag and their SHA-256, sorted by path."""
    lines = (f"{digest}  {encoded(path)}\n" for path, digest in sorted(digests))
    return "".join(lines).encode()


def encoded(path: str) -> str:
    """Percent-encode what RFC 8493 section 2.1.3 asks for, and only that."""
    return path.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def bag_info(facts: Mapping[str, Any]) -> str:
    """Return ``bag-info.txt``: one line an element, without those that are empty."""
    lines = (
        (label, " ".join(str(value or "").split())) for label, value in facts.items()
    )
    return "".join(f"{label}: {value}\n" for label, value in lines if value)


def names_csv(rows: Iterable[Sequence[Any]]) -> bytes:
    """Return the table from paths in the bag to what the sender called the files."""
    text = io.StringIO(newline="")
    writer = csv.writer(text)
    writer.writerow(NAMES_HEADER)
    writer.writerows([csv_cell(str(value)) for value in row] for row in rows)
    return text.getvalue().encode()


def sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
