"""Files to put many at once, and what was left of them."""

import hashlib
from pathlib import Path

from upload.copy_engine import Receipt, silent
from upload.group import Parcel
from upload.targets import FolderTarget, Target

OWNER = "job-17-3"


def parcel(key: str, content: bytes, wanted: bytes | None = None) -> Parcel:
    promised = content if wanted is None else wanted
    expected = Receipt(len(promised), hashlib.sha256(promised).hexdigest())
    return Parcel(key, [content], expected)


def put_many(target: Target, *parcels: Parcel) -> dict[str, Exception]:
    return target.put_many(parcels, OWNER, silent)


def staged(target: FolderTarget) -> list[Path]:
    return list(target.root.rglob("*.part"))


def folder_in(tmp_path: Path) -> FolderTarget:
    """Return a target of its own below a new folder."""
    (tmp_path / "destinations" / "many").mkdir(parents=True)
    return FolderTarget(tmp_path / "destinations" / "many", allowed_roots=None)
