"""Remove: rows out in fenced batches, bytes when each batch has committed.

A started removal only rolls forward. The items keep the keys, so a second run deletes
the bytes that a crash left behind.
"""

from collections.abc import Iterator
from typing import Any

from upload import certificates, discard, items, transitions
from upload.items import Planned
from upload.lease import Work
from upload.states import ItemOutcome
from upload.storage import TempFileStorage, UploadedFileStorage


def plan(session: Any) -> Iterator[dict[str, Any]]:
    """Give one item a file, temporary ones first."""
    yield from items.values_of(session.tempuploadedfile_set)
    for values in items.values_of(session.permuploadedfile_set):
        yield values | {"target_key": "permanent"}


def run(work: Work) -> None:
    """Remove every planned file; afterwards the session holds none."""
    items.freeze(work, plan(work.session))
    discard.left_behind(work, _storage)
    for batch in items.batches(work):
        _remove_batch(work, batch)


def roll_forward(work: Work) -> None:
    """Take the rows that are left out, inside ``work.fenced``, when giving up.

    A removal has no way back: the session ends CREATED and must hold no file. Bytes
    stay as orphans that the items name, for the sweep.
    """
    session = work.session
    for related in (session.tempuploadedfile_set, session.permuploadedfile_set):
        rows = list(related.all())
        stored = related.model is session.permuploadedfile_set.model
        certificates.note_removed(work.job, rows, stored=stored)
        discard.delete_rows(related, rows)
        transitions.discharge_files(session, len(rows), sum(row.size for row in rows))


def _storage(item: Planned) -> Any:
    return UploadedFileStorage() if item.target_key else TempFileStorage()


def _remove_batch(work: Work, batch: list[Planned]) -> None:
    work.start_file(batch[0].name)
    with work.fenced():
        for permanent in (False, True):
            part = [item for item in batch if bool(item.target_key) is permanent]
            if part:
                _remove_rows(work, part)
        for item in batch:
            item.outcome = ItemOutcome.DONE
        items.settle(work, batch)


def _remove_rows(work: Work, part: list[Planned]) -> None:
    session = work.session
    permanent = bool(part[0].target_key)
    related = (
        session.permuploadedfile_set if permanent else session.tempuploadedfile_set
    )
    rows = list(related.filter(uuid__in=[item.file_uuid for item in part]))
    # Counted out first: the session's row is held before those of its files.
    transitions.discharge_files(session, len(rows), sum(row.size for row in rows))
    certificates.note_removed(work.job, rows, stored=permanent)
    discard.delete_rows(related, rows)
    discard.on_commit_delete(_storage(part[0]), [item.source_key for item in part])
