"""What must be true of a world at any instant, and what once its work has ended.

It stands outside the product: it reads the rows by SQL, hashes the trees, and holds the
diagram of states in words of its own. Each check returns sentences about what is wrong.
"""

import hashlib
import json
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from tests.faults.contents import DIGESTS, FILES, FOREIGN, FOREIGN_NAME, NEW_NAME
from tests.faults.databases import Row
from tests.faults.world import World

# "from-to", by the codes of the seed document; the last two are the additions.
EDGES = {
    *("CR-EX", "CR-UG", "UG-CR", "UG-EX", "UG-CP", "UG-RP", "CP-FD", "CP-SD"),
    *("SD-CP", "SD-RP", "RP-CR", "FD-CP", "FD-RP"),
}
LETTING_GO = {"EX", "RP"}
MOST_ATTEMPTS = 5
TABLES = {"temp": "upload_tempuploadedfile", "uploaded": "upload_permuploadedfile"}

OTHER_TABLES = (
    "upload_uploadsession",
    "upload_job",
    "upload_jobitem",
    "upload_filecopy",
    "upload_sessionevent",
    "upload_unfinishedupload",
)


@dataclass(frozen=True)
class View:
    """A world as found: digests by key below each root, rows, the ledger's names."""

    temp: dict[str, str]
    uploaded: dict[str, str]
    copies: dict[str, str]
    staged: list[str]
    rows: dict[str, list[Row]]
    acknowledged: dict[str, str]  # name by the uuid of the file
    offsets: dict[str, int]  # the last one told, by the uuid of the upload
    partials: dict[str, bytes]

    @property
    def session(self) -> Row:
        return self.rows["upload_uploadsession"][0]

    @property
    def status(self) -> str:
        return str(self.session["status"])

    def files(self) -> Iterator[tuple[str, Row]]:
        for place, table in TABLES.items():
            for row in self.rows[table]:
                yield place, row

    def orphans(self) -> list[str]:
        """Return the keys of our storages that no row names."""
        known = {(place, row["file_upload"]) for place, row in self.files()}
        found = [("temp", key) for key in self.temp]
        found += [("uploaded", key) for key in self.uploaded]
        return [f"{place}/{key}" for place, key in found if (place, key) not in known]


def look(world: World) -> View:
    temp, temp_staged = _digests(world.temp)
    uploaded, uploaded_staged = _digests(world.uploaded)
    copies, copies_staged = _digests(world.destination)
    return View(
        temp,
        uploaded,
        copies,
        temp_staged + uploaded_staged + copies_staged,
        _rows(world),
        *_ledger(world),
        _partials(world),
    )


def _digests(root: Path) -> tuple[dict[str, str], list[str]]:
    """Return the digests of final names by key, and the staging names."""
    final: dict[str, str] = {}
    staged: list[str] = []
    for folder, _, names in os.walk(root):
        for path in (Path(folder, name) for name in names):
            key = path.relative_to(root).as_posix()
            if path.suffix == ".partial":
                continue
            if path.suffix == ".part":
                staged.append(str(path))
            elif path.name != ".muniment-destination":
                final[key] = hashlib.sha256(path.read_bytes()).hexdigest()
    return final, staged


def _rows(world: World) -> dict[str, list[Row]]:
    if damage := world.database.damage():
        raise AssertionError(f"The database is damaged: {damage}")
    return {
        name: world.database.rows(name) for name in (*TABLES.values(), *OTHER_TABLES)
    }


def _ledger(world: World) -> tuple[dict[str, str], dict[str, int]]:
    """Return the acknowledged files' names and the acknowledged uploads' offsets."""
    told = [json.loads(line) for line in world.ledger.read_text().splitlines()]
    files = {entry["uuid"]: entry["name"] for entry in told if "uuid" in entry}
    pieces = {entry["upload"]: entry["offset"] for entry in told if "upload" in entry}
    return files, pieces


def _partials(world: World) -> dict[str, bytes]:
    found = (world.temp / ".staging").glob("tus-*.partial")
    return {path.stem.removeprefix("tus-"): path.read_bytes() for path in found}


def rows_without_bytes(view: View) -> list[str]:
    """Find rows that do not point at the full bytes of their name.

    Those of an EXPIRED session promise nothing: by them a sweep finds what to delete.
    """
    if view.status == "EX":
        return []
    return [
        f"{place}: the row of {row['name']!r} does not point at its full bytes"
        for place, row in view.files()
        if not (
            getattr(view, place).get(row["file_upload"])
            == DIGESTS[row["name"]]
            == row["sha256"]
        )
    ]


def lost_acknowledged(view: View) -> list[str]:
    """Find acknowledged files without a row, unless a removal or expiry is recorded."""
    if _may_be_gone(view):
        return []
    there = [row["uuid"] for _place, row in view.files()]
    return [
        f"{name!r} was acknowledged and has {there.count(uuid)} rows"
        for uuid, name in view.acknowledged.items()
        if there.count(uuid) != 1
    ]


def lying_offsets(view: View) -> list[str]:
    """Find uploads that hold less than was acknowledged, or other bytes."""
    rows = {row["uuid"]: row for row in view.rows["upload_unfinishedupload"]}
    return [
        f"upload {uuid} was told {offset}, and {problem}"
        for uuid, offset in view.offsets.items()
        if (problem := _offset_problem(view, rows.get(uuid), offset))
    ]


def _offset_problem(view: View, row: Row | None, offset: int) -> str:
    if row is None:
        return "is gone"
    if row["offset"] < offset:
        return f"says {row['offset']}"
    # Finished, or placed a moment before its row: then it is judged as a file.
    if row["finished_at"] or any(key.endswith(row["uuid"]) for key in view.temp):
        return ""
    there = view.partials.get(row["uuid"], b"")[: row["offset"]]
    return "" if there == FILES[NEW_NAME][: row["offset"]] else "has other bytes"


def _may_be_gone(view: View) -> bool:
    """Return whether a removal or an expiry is under way or recorded."""
    removed = any(target == "CR" for _origin, target in _moves(view))
    return removed or view.status in LETTING_GO


def false_names(view: View) -> list[str]:
    """Find final names that do not hold the full bytes of the file they stand for."""
    wrong = [
        f"{place}/{key} holds other bytes than its name promises"
        for place in TABLES
        for key, digest in getattr(view, place).items()
        if digest != DIGESTS[view.acknowledged.get(key.rpartition("/")[2], NEW_NAME)]
    ]
    wrong += [
        f"the destination's {key} holds other bytes than its name promises"
        for key, digest in view.copies.items()
        if digest != DIGESTS.get(key.rpartition("/")[2]) and key != FOREIGN_NAME
    ]
    foreign = hashlib.sha256(FOREIGN).hexdigest()
    if view.copies.get(FOREIGN_NAME, foreign) != foreign:
        wrong.append("a stranger's file at the destination was changed")
    return wrong


def _moves(view: View) -> list[tuple[str, str]]:
    told = (json.loads(row["detail"]) for row in view.rows["upload_sessionevent"])
    return [(entry["from"], entry["to"]) for entry in told if "to" in entry]


def untold_states(view: View) -> list[str]:
    """Find a status that the events do not lead to, edge by edge."""
    standing, wrong = "CR", []
    for origin, target in _moves(view):
        if origin != standing or f"{origin}-{target}" not in EDGES:
            wrong.append(f"an event tells of {origin}-{target} at {standing}")
        standing = target
    if standing != view.status:
        wrong.append(f"the events end at {standing}, but the session is {view.status}")
    return wrong


def wrong_counts(view: View) -> list[str]:
    """Find a session whose stored columns disagree with its rows."""
    sizes = [row["size"] for _place, row in view.files()]
    counted = (view.session["total_files"], view.session["total_size_bytes"])
    if counted == (len(sizes), sum(sizes)):
        return []
    return [f"the session counts {counted}, its rows ({len(sizes)}, {sum(sizes)})"]


def false_copies(view: View) -> list[str]:
    """Find ``FileCopy`` rows whose bytes are not at the destination."""
    return [
        f"the copy of {row['name']!r} is not at {row['target_key']}"
        for row in view.rows["upload_filecopy"]
        if view.copies.get(row["target_key"]) != DIGESTS[row["name"]]
    ]


def false_outcomes(view: View) -> list[str]:
    """Find items that call a file done although it is not where they say."""
    places = {"copy": view.copies}
    if not _may_be_gone(view):
        places["store"] = view.uploaded
    kinds = {row["id"]: row["kind"] for row in view.rows["upload_job"]}
    return [
        f"{kinds[item['job_id']]}: {item['name']!r} is called done and is not"
        for item in view.rows["upload_jobitem"]
        if item["outcome"] == "done"
        and kinds[item["job_id"]] in places
        and item["target_key"] not in places[kinds[item["job_id"]]]
    ]


def too_many_attempts(view: View) -> list[str]:
    jobs = view.rows["upload_job"]
    wrong = [
        f"a {row['kind']} job had {row['attempts']} attempts"
        for row in jobs
        if row["attempts"] > MOST_ATTEMPTS
    ]
    moving = [row for row in jobs if row["kind"] != "verify"]
    if sum(row["state"] in {"queued", "running"} for row in moving) > 1:
        wrong.append("two jobs are active on one session")
    return wrong


ALWAYS: tuple[Callable[[View], list[str]], ...] = (
    rows_without_bytes,
    lost_acknowledged,
    lying_offsets,
    false_names,
    untold_states,
    wrong_counts,
    false_copies,
    false_outcomes,
    too_many_attempts,
)


def problems(view: View) -> list[str]:
    """Return what may never be, at whatever instant a process ended."""
    return [sentence for check in ALWAYS for sentence in check(view)]
