"""Store: temporary files become permanent, in batches, under a lease.

Per batch: bytes durable under their permanent keys → one fenced transaction swaps the
rows → on commit the temporary keys go. Run again it finds its own work by the keys,
which are made from the files' uuids.
"""

from collections.abc import Iterator
from typing import Any

from upload import discard, items, paths
from upload.copy_engine import Receipt
from upload.errors import FILE_ERRORS, SourceMissing, SourceUnreadable
from upload.insert import insert_rows
from upload.items import Planned
from upload.lease import Work
from upload.states import ItemOutcome
from upload.storage import (
    Batch,
    TempFileStorage,
    UploadedFileStorage,
    drop_staging,
    note_placed,
)
from upload.wording import gettext as _

KEPT = (
    "uuid",
    "name",
    "original_name",
    "relative_path",
    "size",
    "sha256",
    "content_type",
    "received_at",
    "received_by_id",
)
READ = (*KEPT, "pk", "file_upload", "fingerprint")


def plan(session: Any) -> Iterator[dict[str, Any]]:
    """Give one item for each temporary file, in the order they came."""
    for values in items.values_of(session.tempuploadedfile_set):
        key = paths.key_for(session.uuid, values["file_uuid"])
        yield values | {"target_key": key}


def run(work: Work) -> None:
    """Store every planned file. Raise an error where some could not be."""
    drop_staging(UploadedFileStorage(), work.staging_of_job)
    items.freeze(work, plan(work.session))
    discard.left_behind(work, lambda item: TempFileStorage())
    for batch in items.batches(work):
        _store_batch(work, batch)
    items.require_all_good(work)


def _store_batch(work: Work, batch: list[Planned]) -> None:
    wanted = [item.file_uuid for item in batch]
    temp = work.session.tempuploadedfile_set.filter(uuid__in=wanted)
    rows = {row.uuid: row for row in temp.values_list(*READ, named=True)}
    with Batch(UploadedFileStorage(), work.staging_prefix, work.beat) as out:
        placed = [
            item for item in batch if _place(work, out, item, rows.get(item.file_uuid))
        ]
    with work.fenced():
        swap_rows(work.session, [(rows[i.file_uuid], i.target_key) for i in placed])
        items.settle(work, batch)


def _place(work: Work, out: Batch, item: Planned, row: Any) -> bool:
    """Place the item's bytes in permanent storage; return whether they are there."""
    work.start_file(item.name)
    try:
        place(out, row, item.target_key)
    except FILE_ERRORS as error:
        if isinstance(error, SourceUnreadable):
            items.bear(work, error)
        items.fail(item, error)
        return False
    work.unreadable_in_a_row = 0
    item.outcome = ItemOutcome.DONE
    return True


def place_single(row: Any) -> str:
    """Place one file outside any job, durably; return its permanent key."""
    key = paths.key_for(row.session.uuid, row.uuid)
    with Batch(UploadedFileStorage(), f"file-{row.uuid}") as out:
        place(out, row, key)
    return key


def place(out: Batch, row: Any, key: str) -> None:
    """Put the temporary file's bytes under ``key``, verified; durable with the batch.

    On one file system the file is linked, not copied, when it is as it was noted at
    receipt; otherwise its digest is read again first. Raise one of ``FILE_ERRORS``.
    """
    temp = TempFileStorage()
    source_key = str(row.file_upload or "") if row else ""
    if not source_key:
        raise SourceMissing(_("The temporary file has no bytes any more."))
    expected = Receipt(row.size, row.sha256)
    out.adopt(temp, source_key, key, expected, row.fingerprint)


def swap_rows(session: Any, pairs: list[tuple[Any, str]]) -> None:
    """Insert permanent rows and delete the temporary ones, in one transaction.

    ``pairs`` are temporary row, at least its fields in READ, and permanent key. The
    temporary bytes go on commit.
    """
    insert_rows(
        session.permuploadedfile_set.model,
        (*KEPT, "file_upload"),
        ([*(getattr(row, name) for name in KEPT), key] for row, key in pairs),
        shared={"session_id": session.pk},
    )
    placed = [(key, Receipt(row.size, row.sha256)) for row, key in pairs]
    note_placed(UploadedFileStorage(), placed)
    rows = [row for row, _key in pairs]
    discard.delete_rows(session.tempuploadedfile_set, rows)
    discard.on_commit_delete(TempFileStorage(), [str(r.file_upload) for r in rows])
