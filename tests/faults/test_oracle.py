"""The oracle sees what it is there to see: each kind of loss, made by hand."""

import json
from collections.abc import Callable

import pytest

from tests.faults import oracle
from tests.faults.contents import DIGESTS, FILES, FOREIGN_NAME, NEW_NAME
from tests.faults.oracle import Row, View

KEY = "ab/abcd/01/0123"
RIGHT = DIGESTS[NEW_NAME]
WRONG = "0" * 64


def stored_and_copied() -> View:
    """Return a sound world: one file, stored, and copied by one job."""
    file = {"name": NEW_NAME, "uuid": "0123", "sha256": RIGHT, "size": 3}
    moves = [("CR", "UG"), ("UG", "CP"), ("CP", "SD"), ("SD", "CP"), ("CP", "SD")]
    details = [json.dumps({"from": origin, "to": target}) for origin, target in moves]
    item = {"job_id": 1, "outcome": "done", "name": NEW_NAME, "target_key": NEW_NAME}
    job = {"id": 1, "kind": "copy", "state": "succeeded", "attempts": 1}
    rows: dict[str, list[Row]] = {
        "upload_uploadsession": [
            {"status": "SD", "total_files": 1, "total_size_bytes": 3}
        ],
        "upload_tempuploadedfile": [],
        "upload_permuploadedfile": [file | {"file_upload": KEY}],
        "upload_job": [job],
        "upload_jobitem": [item],
        "upload_filecopy": [{"name": NEW_NAME, "target_key": NEW_NAME}],
        "upload_sessionevent": [{"detail": detail} for detail in details],
    }
    begun = {"uuid": "4567", "offset": 5, "finished_at": None}
    rows["upload_unfinishedupload"] = [begun]
    partials, told = {"4567": FILES[NEW_NAME][:9]}, {"0123": NEW_NAME}
    copies = {NEW_NAME: RIGHT}
    return View({}, {KEY: RIGHT}, copies, [], rows, told, {"4567": 5}, partials)


def lose_bytes(view: View) -> None:
    view.uploaded.clear()


def cut_bytes(view: View) -> None:
    view.uploaded[KEY] = WRONG


def lose_row(view: View) -> None:
    view.rows["upload_permuploadedfile"].clear()


def cut_copy(view: View) -> None:
    view.copies[NEW_NAME] = WRONG


def lose_copy(view: View) -> None:
    view.copies.clear()


def touch_foreign_file(view: View) -> None:
    view.copies[FOREIGN_NAME] = WRONG


def write_status(view: View) -> None:
    view.session["status"] = "UG"


def lose_event(view: View) -> None:
    del view.rows["upload_sessionevent"][1]


def miscount(view: View) -> None:
    view.session["total_files"] = 2


def try_for_ever(view: View) -> None:
    view.rows["upload_job"][0]["attempts"] = 6


def lose_upload(view: View) -> None:
    view.rows["upload_unfinishedupload"].clear()


def take_offset_back(view: View) -> None:
    view.rows["upload_unfinishedupload"][0]["offset"] = 4


def cut_partial(view: View) -> None:
    view.partials["4567"] = view.partials["4567"][:4]


def test_the_oracle_has_nothing_to_say_of_a_sound_world() -> None:
    assert oracle.problems(stored_and_copied()) == []


@pytest.mark.parametrize(
    ("harm", "check"),
    [
        (lose_bytes, oracle.rows_without_bytes),
        (cut_bytes, oracle.rows_without_bytes),
        (cut_bytes, oracle.false_names),
        (lose_row, oracle.lost_acknowledged),
        (lose_row, oracle.wrong_counts),
        (cut_copy, oracle.false_names),
        (lose_copy, oracle.false_copies),
        (lose_copy, oracle.false_outcomes),
        (touch_foreign_file, oracle.false_names),
        (write_status, oracle.untold_states),
        (lose_event, oracle.untold_states),
        (miscount, oracle.wrong_counts),
        (try_for_ever, oracle.too_many_attempts),
        (lose_upload, oracle.lying_offsets),
        (take_offset_back, oracle.lying_offsets),
        (cut_partial, oracle.lying_offsets),
    ],
)
def test_the_oracle_sees(
    harm: Callable[[View], None], check: Callable[[View], list[str]]
) -> None:
    view = stored_and_copied()

    harm(view)

    assert check(view)
