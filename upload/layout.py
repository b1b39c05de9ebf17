"""Where a session's files go below a destination: plain files, or a bag's payload.

Asked by ``copy`` for its plan and by ``dry_run``. Reads rows, writes nothing.
"""

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from upload import portable_names

BAG = "bag"
PAYLOAD = "data"
SPACE_AT_END = re.compile(r"\s(?=\s*$)")
WANTED = ("uuid", "name", "relative_path", "file_upload", "size", "sha256")


def bag_segment(name: str) -> str:
    """Return a portable path part that validators of bags read in one way.

    A manifest writes ``%`` as ``%25``, which the most used validator does not read
    back, and that one drops white space at the end of a line. Neither stands in a bag.
    """
    safe = portable_names.portable_segment(name).replace("%", "_")
    return SPACE_AT_END.sub("_", safe) if safe[-1].isspace() else safe


@dataclass(frozen=True, slots=True)
class Layout:
    """``folder`` is the session's own below the target, ``""`` the target itself.

    ``payload`` is where its files stand: the same, or ``data`` below it in a bag.
    """

    folder: str
    payload: str
    segment: Callable[[str], str] = portable_names.portable_segment

    @property
    def is_bag(self) -> bool:
        return self.payload != self.folder

    @property
    def lead(self) -> str:
        """Return what each key begins with."""
        return f"{self.payload}/" if self.payload else ""

    def keys(self, rows: Iterable[dict[str, Any]]) -> dict[Any, str]:
        """Return the key below the target of each row of files, by its uuid."""
        paths = ((row["uuid"], original_path(row)) for row in rows)
        arranged = portable_names.arrange(paths, self.segment)
        return {uuid: self.lead + path for uuid, path in arranged.items()}

    def plan(self, session: Any) -> Iterator[dict[str, Any]]:
        """Yield the values of one job item a file."""
        rows = files_of(session)
        keys = self.keys(rows)
        for row in rows:
            yield {
                "file_uuid": row["uuid"],
                "name": row["name"],
                "source_key": row["file_upload"] or "",
                "target_key": keys[row["uuid"]],
                "size_bytes": row["size"],
                "sha256": row["sha256"],
            }

    def planned(self, key: str, row: dict[str, Any]) -> bool:
        """Return whether a plan of this layout could have given ``row`` the key."""
        return key.count("/") == f"{self.lead}{original_path(row)}".count("/")


def original_path(row: dict[str, Any]) -> str:
    """Return the path that the sender gave, or the bare name."""
    return str(row["relative_path"] or row["name"])


def files_of(session: Any) -> list[dict[str, Any]]:
    """Return the values of the session's permanent files that a plan needs."""
    return list(session.permuploadedfile_set.order_by("pk").values(*WANTED))


def layout_for(session: Any, destination: Any) -> Layout:
    """Return the layout of copies to a destination; None: a folder that code names."""
    if destination is None:
        return Layout("", "")
    folder = str(session.uuid)
    if getattr(destination, "layout", "") == BAG:
        return Layout(folder, f"{folder}/{PAYLOAD}", bag_segment)
    return Layout(folder, folder)
