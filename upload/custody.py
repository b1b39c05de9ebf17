"""Deeds on one uploaded file: copy it, remove its bytes, make it permanent.

Called by the thin methods of the file models; takes rows and imports no model.
"""

from pathlib import Path
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from upload import discard, events, fixity, policy, store, transitions
from upload.copy_engine import Receipt, silent
from upload.errors import SessionBusy, SourceMissing
from upload.events import Cause
from upload.states import MOVING, Verb
from upload.storage import digest_of, fingerprint, iter_chunks
from upload.targets import FolderTarget


def note_new_row(row: Any) -> None:
    """Take size and digest from the bytes of a row that was saved by hand."""
    values: dict[str, Any] = {"original_name": row.original_name or row.name}
    if row.file_upload:
        storage, key = row.file_upload.storage, row.file_upload.name
        if not row.sha256 and storage.exists(key):
            receipt = digest_of(storage, key)
            values |= {"size": receipt.size_bytes, "sha256": receipt.sha256}
            if hasattr(row, "fingerprint"):
                values["fingerprint"] = fingerprint(storage, key)
        transitions.discharge_files(row.session, -1, -int(values.get("size", row.size)))
    for name, value in values.items():
        setattr(row, name, value)
    type(row).objects.filter(pk=row.pk).update(**values)


def is_still_there(row: Any) -> bool:
    """Hold the row for this transaction and take over which bytes it has now."""
    transitions.hold(row.session)
    held = type(row).objects.select_for_update().filter(pk=row.pk).first()
    if held is None:
        return False
    row.file_upload, row.size = held.file_upload.name, held.size
    return True


def _require_bytes(row: Any) -> None:
    if not row.exists:
        raise SourceMissing(
            _("“%(name)s” of session %(session)s has no bytes in its storage.")
            % {"name": row.name, "session": row.session.uuid}
        )


def _require_idle(session: Any) -> None:
    session.refresh_from_db(fields=["status"])
    busy = session.job_set.moving().exists()
    if session.status in MOVING or busy:
        raise SessionBusy(
            _("Session %(session)s has a job waiting or running. Wait for it first.")
            % {"session": session.uuid}
        )


def copy_file(row: Any, new_path: str) -> None:
    """Copy one file's bytes to an exact path; see ``BaseUploadedFile.copy``."""
    _require_bytes(row)
    path = Path(new_path)
    target = FolderTarget(path.parent, allowed_roots=None)
    target.check()
    target.put(
        path.name,
        iter_chunks(row.file_upload.storage, row.file_upload.name),
        Receipt(row.size, row.sha256),
        staging_prefix=f"file-{row.uuid}",
        beat=silent,
    )


def remove_bytes(row: Any) -> None:
    """Clear the row's file, count it out, delete the bytes on commit."""
    if not row.file_upload:
        return
    _require_idle(row.session)
    storage, key = row.file_upload.storage, row.file_upload.name
    with transaction.atomic():
        transitions.hold_to_dispose(row.session)
        had_bytes = type(row).objects.filter(pk=row.pk, file_upload=key)
        if not had_bytes.update(file_upload=None):
            return
        transitions.discharge_files(row.session, 1, row.size)
        detail = {"file": str(row.uuid), "name": row.name, "sha256": row.sha256}
        events.record(row.session, "file_removed", "deletion", Cause(detail=detail))
        discard.on_commit_delete(storage, [key])
    row.file_upload = None


def _require_still_storable(row: Any) -> None:
    """Hold session and row; raise where either has moved on since it was read."""
    sessions = type(row.session).objects.select_for_update()
    row.session.refresh_from_db(fields=["status"], from_queryset=sessions)
    policy.require_state(Verb.STORE, row.session)
    if not is_still_there(row):
        row.file_upload = None
    _require_bytes(row)


def make_permanent(row: Any) -> Any:
    """Place one temporary file in permanent storage, swap its rows, return the new."""
    _require_bytes(row)
    _require_idle(row.session)
    key = store.place_single(row)
    with transaction.atomic():
        _require_still_storable(row)
        store.swap_rows(row.session, [(row, key)])
        detail = {"file": str(row.uuid), "name": row.name, "sha256": row.sha256}
        events.record(row.session, "file_stored", "ingestion end", Cause(detail=detail))
        fixity.queue_first_check(row.session)
    return row.session.permuploadedfile_set.get(uuid=row.uuid)
