"""Where permanent files lie: on our disk, and in a second place if one is named.

Called by ``settings.py`` alone; returns what stands in STORAGES.
"""

from pathlib import Path
from typing import Any

DURABLE = "upload.storage.DurableFileSystemStorage"
OFFSITE = "upload.offsite.OffsiteStorage"


def durable(folder: Path, base_url: str) -> dict[str, Any]:
    return {"BACKEND": DURABLE, "OPTIONS": {"location": folder, "base_url": base_url}}


def uploaded(
    folder: Path, remote: dict[str, Any], *, keep_local: bool
) -> dict[str, Any]:
    """Return the entry of permanent files; ``remote`` is one as in STORAGES, or {}."""
    here = durable(folder, "/media/uploaded/")
    if not remote:
        return here
    options = {
        "local_options": here["OPTIONS"],
        "remote": remote["BACKEND"],
        "remote_options": remote["OPTIONS"],
        "keep_local": keep_local,
    }
    return {"BACKEND": OFFSITE, "OPTIONS": options}
