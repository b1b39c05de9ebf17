"""Where a copy goes: one contract, and one adapter for each kind of place."""

from upload.targets.base import MARKER, OWN_NAMES, Target
from upload.targets.folder import FolderTarget

__all__ = ["MARKER", "OWN_NAMES", "FolderTarget", "Target"]
