"""The operations that are killed: where each starts, and how each must end."""

from dataclasses import dataclass
from typing import Any

from tests.faults.contents import FILES
from tests.faults.oracle import View, problems


@dataclass(frozen=True)
class Operation:
    """``ends``: status, temporary rows, permanent rows and copies at the end.

    ``strict``: no byte without a row may be left, even without a sweep.
    """

    name: str
    before: str
    deed: str
    ends: tuple[str, int, int, int]
    across: bool = False
    strict: bool = True

    @property
    def is_job(self) -> bool:
        return self.deed in {"store", "copy", "remove"}

    def is_done(self, view: View) -> bool:
        """Return whether nobody needs to ask for it, or wait for it, any more."""
        return _found(view) == self.ends and not self.has_active_job(view)

    def has_active_job(self, view: View) -> bool:
        active = {"queued", "running"}
        return any(row["state"] in active for row in view.rows["upload_job"])

    def end_problems(self, view: View) -> list[str]:
        """Return what is wrong with a world whose work has ended."""
        wrong = problems(view)
        if _found(view) != self.ends:
            wrong.append(f"it ended as {_found(view)} instead of {self.ends}")
        bad = [row for row in view.rows["upload_job"] if not _ended_well(row)]
        wrong += [f"a {row['kind']} job ended {row['state']}" for row in bad]
        wrong += [f"staged bytes are left at {name}" for name in view.staged]
        wrong += [f"a partial is left of upload {uuid}" for uuid in view.partials]
        if self.strict:
            wrong += [f"bytes without a row are left at {k}" for k in view.orphans()]
        return wrong


def _ended_well(job: dict[str, Any]) -> bool:
    """Return whether a job succeeded; a fixity check may still wait, or be overtaken.

    It follows each store by itself, and ends cancelled where a removal came first.
    """
    if job["kind"] == "verify" and job["state"] in {"queued", "cancelled"}:
        return True
    return bool(job["state"] == "succeeded")


def _found(view: View) -> tuple[str, int, int, int]:
    names = ("upload_tempuploadedfile", "upload_permuploadedfile", "upload_filecopy")
    temp, permanent, copies = (len(view.rows[name]) for name in names)
    return view.status, temp, permanent, copies


ALL = len(FILES)
OPERATIONS = (
    # A crash between placing and the commit leaves bytes that the sweep takes.
    Operation("receive", "open", "receive", ("UG", 1, 0, 0), strict=False),
    Operation(
        "receive in pieces", "open", "receive in pieces", ("UG", 1, 0, 0), strict=False
    ),
    Operation("store", "upload", "store", ("SD", 0, ALL, 0)),
    Operation("store across", "upload", "store", ("SD", 0, ALL, 0), across=True),
    Operation(
        "copy", "store and choose destination", "copy", ("SD", 0, ALL, ALL), across=True
    ),
    Operation("remove temporary", "upload", "remove", ("CR", 0, 0, 0)),
    Operation(
        "remove stored", "store and choose destination", "remove", ("CR", 0, 0, 0)
    ),
    Operation("expire", "upload long ago", "expire", ("EX", 0, 0, 0)),
)
