"""Delete files: rows in one transaction, bytes when it has committed.

The files of an expired session go the other way round. Bytes whose unlink a crash
prevented, and that no later attempt knows of, are orphans for ``reconcile_storage``.
"""

import logging
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from functools import partial
from typing import Any

from django.db import connection, transaction
from django.db.models import DateTimeField, ExpressionWrapper, F, Value

from upload import legal_hold, transitions
from upload.errors import UnsafePath
from upload.lease import Work
from upload.states import ItemOutcome, SessionStatus
from upload.storage import Batch, TempFileStorage, has_rows, whole_tree
from upload.wording import gettext as _

logger = logging.getLogger(__name__)

BATCH_FILES = 500
THREADS = 4


def interaction_plus(after: timedelta) -> Any:
    """Return the SQL expression of a session's expiry."""
    return ExpressionWrapper(
        F("last_upload_interaction_time") + Value(after), output_field=DateTimeField()
    )


def temporary_batch(session: Any) -> int:
    """Delete up to 500 temporary files of the session; return how many went."""
    related = session.tempuploadedfile_set
    with transaction.atomic():
        transitions.hold_to_dispose(session)
        # Locked, or two callers would count the same rows out twice.
        rows = list(related.select_for_update().order_by("pk")[:BATCH_FILES])
        _rows_out(session, rows)
        on_commit_delete(TempFileStorage(), [row.file_upload.name for row in rows])
    return len(rows)


def expired_batch(session: Any) -> int:
    """Delete up to 500 files of an EXPIRED session; return how many were there.

    Bytes first: EXPIRED is committed, is never left and promises no bytes, and by the
    rows a later sweep finds what a crash left over.
    """
    if connection.in_atomic_block:  # EXPIRED may still be rolled back
        return temporary_batch(session)
    related = session.tempuploadedfile_set
    legal_hold.require_none(session, _("give up files"))
    doomed = list(related.order_by("pk")[:BATCH_FILES])
    keys = [row.file_upload.name for row in doomed]
    delete_bytes(TempFileStorage(), [key for key in keys if key])
    with transaction.atomic():
        transitions.hold_to_dispose(session)
        still = related.select_for_update().filter(pk__in=[row.pk for row in doomed])
        _rows_out(session, list(still))
    return len(doomed)


def expired_files(sessions: Any) -> int:
    """Delete up to 500 files of EXPIRED sessions together; return how many went.

    ``sessions`` is a queryset; those that are not EXPIRED, or held, lose nothing. Bytes
    first, as in ``expired_batch``.
    """
    files = sessions.model._meta.get_field("tempuploadedfile").related_model.objects
    gone = sessions.filter(status=SessionStatus.EXPIRED, hold_count=0)
    found = files.filter(session__in=gone.values("pk")).order_by("session", "pk")
    doomed = list(found[:BATCH_FILES])
    _delete_side_by_side(TempFileStorage(), [row.file_upload.name for row in doomed])
    with transaction.atomic():
        held = gone.filter(pk__in={row.session_id for row in doomed}).order_by("pk")
        keys = list(held.select_for_update(no_key=True).values_list("pk", flat=True))
        rows = files.filter(pk__in=[r.pk for r in doomed], session__in=keys)
        delete_rows(files, list(rows))
        transitions.count_files_anew(sessions.filter(pk__in=keys))
    return len(doomed)


def _rows_out(session: Any, rows: list[Any]) -> None:
    """Delete temporary rows and count them out, in the caller's transaction."""
    if rows:
        delete_rows(session.tempuploadedfile_set, rows)
        transitions.discharge_files(session, len(rows), sum(row.size for row in rows))


def left_behind(work: Work, storage_of: Callable[[Any], Any]) -> None:
    """Delete the bytes that a dead attempt should have: those of the items it did.

    It may have died between the commit that took their rows out and the unlink.
    """
    if work.fence <= 1:
        return
    done = work.job.item_set.filter(outcome=ItemOutcome.DONE).order_by("pk")
    for item in done.iterator(chunk_size=BATCH_FILES):
        delete_bytes(storage_of(item), [item.source_key])
        work.beat(0)


def delete_rows(related: Any, rows: list[Any]) -> None:
    """Delete rows by one statement, without the per-row delete signal.

    The caller deletes the bytes and counts the files out.
    """
    keys = [row.pk for row in rows]
    # _raw_delete: delete() would load and signal every row once more.
    related.filter(pk__in=keys)._raw_delete(connection.alias)


def on_commit_delete(storage: Any, keys: Iterable[str]) -> None:
    """Delete the bytes under ``keys`` once the present transaction has committed."""
    named = [key for key in keys if key]
    if has_rows(storage):
        # Its own rows are part of this transaction, its bytes wait for the commit.
        for key in named:
            storage.delete(key)
        return
    transaction.on_commit(partial(delete_bytes, storage, named))


def _delete_side_by_side(storage: Any, keys: list[str]) -> None:
    """Delete now, from a local storage in threads: each deed there waits for the disk.

    Keys that follow each other, as those of one session do, stay in one thread.
    """
    if whole_tree(storage) is None:
        delete_bytes(storage, keys)
        return
    size = max(1, -(-len(keys) // THREADS))
    parts = [keys[start : start + size] for start in range(0, len(keys), size)]
    with ThreadPoolExecutor(THREADS) as pool:
        list(pool.map(partial(delete_bytes, storage), parts))


def delete_bytes(storage: Any, keys: list[str]) -> None:
    """Delete now; what cannot be deleted is logged and left to the sweep."""
    try:
        with Batch(storage) as batch:
            for key in filter(None, keys):
                _delete_or_leave(batch, key)
    except OSError:
        logger.exception("Orphans may return: what was deleted could not be synced.")


def _delete_or_leave(batch: Batch, key: str) -> None:
    try:
        batch.delete(key)
    except (OSError, UnsafePath):
        logger.exception("Orphan left: %s could not be deleted.", key)
