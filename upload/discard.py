"""Delete files: rows in one transaction, bytes when it has committed.

Bytes whose unlink a crash prevented are orphans that ``reconcile_storage`` takes.
"""

import logging
from collections.abc import Iterable
from datetime import timedelta
from functools import partial
from typing import Any

from django.db import connection, transaction
from django.db.models import DateTimeField, ExpressionWrapper, F, Value

from upload import transitions
from upload.errors import UnsafePath
from upload.storage import Batch, TempFileStorage

logger = logging.getLogger(__name__)

BATCH_FILES = 500


def interaction_plus(after: timedelta) -> Any:
    """Return the SQL expression of a session's expiry."""
    return ExpressionWrapper(
        F("last_upload_interaction_time") + Value(after), output_field=DateTimeField()
    )


def temporary_batch(session: Any) -> int:
    """Delete up to 500 temporary files of the session; return how many went."""
    with transaction.atomic():
        rows = list(session.tempuploadedfile_set.order_by("pk")[:BATCH_FILES])
        if rows:
            delete_rows(session.tempuploadedfile_set, rows)
            transitions.discharge_files(
                session, len(rows), sum(row.size for row in rows)
            )
            on_commit_delete(TempFileStorage(), [row.file_upload.name for row in rows])
    return len(rows)


def delete_rows(related: Any, rows: list[Any]) -> None:
    """Delete rows by one statement, without the per-row delete signal.

    The caller deletes the bytes and counts the files out.
    """
    keys = [row.pk for row in rows]
    # _raw_delete: delete() would load and signal every row once more.
    related.filter(pk__in=keys)._raw_delete(connection.alias)


def on_commit_delete(storage: Any, keys: Iterable[str]) -> None:
    """Delete the bytes under ``keys`` once the present transaction has committed."""
    transaction.on_commit(partial(delete_bytes, storage, [k for k in keys if k]))


def delete_bytes(storage: Any, keys: list[str]) -> None:
    """Delete now; what cannot be deleted is logged and left to the sweep."""
    with Batch(storage) as batch:
        for key in keys:
            try:
                batch.delete(key)
            except (OSError, UnsafePath):
                logger.exception("Orphan left: %s could not be deleted.", key)
