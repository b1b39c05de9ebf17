"""What a queued storage does with its rows: file, ask, delete."""

import logging
from collections.abc import Iterable
from contextlib import nullcontext, suppress
from datetime import datetime
from functools import partial
from typing import Any

from django.conf import settings as django_settings
from django.core.files.storage import Storage
from django.core.files.utils import validate_file_name
from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from upload.copy_engine import CHUNK_BYTES, Receipt, receipt_of, silent
from upload.insert import insert_rows
from upload.queued_storage import hints, identity, queueing, records
from upload.queued_storage.models import SENT, FileState, QueuedFile
from upload.queued_storage.sending import holds

logger = logging.getLogger(__name__)

NO_REMOTE_NAME = {"remote_name": "", "remote_digest": None}


def file(storage: Any, name: str, receipt: Receipt | None) -> None:
    """Write the row of a file that was just saved; queue its transfer on commit."""
    values = _values(storage, name, receipt)
    try:
        _insert(values)
    except IntegrityError:
        # The remote's name was promised to another file meanwhile: chosen anew later.
        _insert(values | NO_REMOTE_NAME)
    if not storage.delayed:
        queueing.ask_on_commit(storage.storage_key)


def _insert(values: dict[str, Any]) -> None:
    """Insert by one statement; an error leaves the caller's transaction whole.

    An object would double what a save adds to that of the local storage.
    """
    alias = records.write_alias()
    is_inside = transaction.get_connection(alias).in_atomic_block
    with transaction.atomic(alias) if is_inside else nullcontext():
        insert_rows(QueuedFile, tuple(values), [tuple(values.values())], shared={})


def file_many(storage: Any, placed: Iterable[tuple[str, Receipt | None]]) -> None:
    """Write rows of files put there by other means; those that have one keep it."""
    rows = [
        QueuedFile(**_values(storage, name, receipt) | NO_REMOTE_NAME)
        for name, receipt in placed
    ]
    QueuedFile.objects.bulk_create(rows, batch_size=200, ignore_conflicts=True)
    if rows and not storage.delayed:
        queueing.ask_on_commit(storage.storage_key)


def _values(storage: Any, name: str, receipt: Receipt | None) -> dict[str, Any]:
    """Return the row's values; the file's own name is wanted on the remote as well."""
    now = timezone.now()
    return {
        "storage": storage.storage_key,
        "name": name,
        "name_digest": storage.name_digest(name),
        "remote_name": name,
        "remote_digest": storage.remote_digest(name),
        "size": receipt.size_bytes if receipt else None,
        "sha256": receipt.sha256 if receipt else "",
        "task": storage.task,
        "state": FileState.LOCAL if storage.delayed else FileState.DUE,
        "next_run_at": None if storage.delayed else now,
        "saved_at": now,
    }


def row_of(storage: Any, name: str) -> QueuedFile | None:
    return QueuedFile.objects.filter(name_digest=storage.name_digest(name)).first()


def ask(storage: Any, name: str, cache_key: str) -> QueuedFile:
    """Make the file due, with a row where it had none; queue its transfer on commit."""
    if not name:
        raise _nowhere(name)
    row = row_of(storage, name) or _taken_on(storage, name)
    if row.state == FileState.DELETING:
        raise FileNotFoundError(_("“%(name)s” is being deleted.") % {"name": name})
    rows = QueuedFile.objects.filter(pk=row.pk)
    if cache_key:
        rows.update(cache_key=cache_key)
    records.ask_for(rows)
    row.refresh_from_db()
    if row.state not in SENT:
        queueing.ask_on_commit(storage.storage_key)
    return row


def _taken_on(storage: Any, name: str) -> QueuedFile:
    """Write the row of a file that none knew; return it."""
    validate_file_name(name, allow_relative_path=True)
    plain = identity.plain_name(name)
    if storage.local.exists(name):
        storage.local.open(name).close()  # raises IsADirectoryError
        file_many(storage, [(plain, None)])
    elif storage.remote.exists(name) and not records.belongs_to_a_row(
        storage.remote_digest(name)
    ):
        storage.remote.open(name).close()
        _adopt(storage, plain)
    else:
        raise _nowhere(name)
    # Somebody else may have been quicker.
    return QueuedFile.objects.get(name_digest=storage.name_digest(name))


def _nowhere(name: str | None) -> FileNotFoundError:
    words = _("“%(name)s” is neither in the local nor in the remote storage.")
    return FileNotFoundError(words % {"name": name or ""})


def _adopt(storage: Any, name: str) -> None:
    """Write the row of a file that only the remote has: nothing is to be sent."""
    is_there = {
        "size": storage.remote.size(name),
        "state": FileState.REMOTE,
        "local_left": False,
        "next_run_at": None,
        "transferred_at": timezone.now(),
    }
    row = QueuedFile(**_values(storage, name, None) | is_there)
    QueuedFile.objects.bulk_create([row], ignore_conflicts=True)


def delete(storage: Any, name: str) -> None:
    """Mark the file as being deleted; its bytes go when this has been committed."""
    while (row := row_of(storage, name)) is not None:
        has_remote = _was_on_its_way(row)
        if row.state == FileState.DELETING or _bury(row):
            break
    hints.forget(storage.get_cache_key(name))
    alias = records.write_alias()
    if row is None:
        # Outside of a transaction this is done at once, and its error the caller's.
        is_inside = transaction.get_connection(alias).in_atomic_block
        unknown = partial(_delete_unknown, storage, name)
        transaction.on_commit(unknown, using=alias, robust=is_inside)
        return
    transaction.on_commit(
        lambda: _delete_bytes(storage, row, has_remote=has_remote),
        using=alias,
        robust=True,
    )


def _was_on_its_way(row: QueuedFile) -> bool:
    """Return whether a worker ever had it; attempts may have been counted anew."""
    return row.fence > 0 or row.transferred_at is not None


def _bury(row: QueuedFile) -> bool:
    if _was_on_its_way(row):
        return records.bury(row)
    # It was never on its way: the remote is left alone, whatever it has of this name.
    return records.bury(row, remote_name="", remote_digest=None)


def _delete_bytes(storage: Any, row: QueuedFile, *, has_remote: bool) -> None:
    """Delete locally, now; what fails or lies on the remote is a worker's to delete."""
    if not records.keep_for_deletion(row):
        return  # a worker was quicker, and the name may be a new file's
    # Another process may have read the row, and hinted, before this was committed.
    hints.forget(storage.get_cache_key(row.name))
    try:
        storage.local.delete(row.name)
    except OSError:
        logger.exception("%s: deleted locally later.", row.name)
        has_remote = True
    if has_remote:
        records.leave_deletion(row)
        queueing.ask(storage.storage_key)
    else:
        QueuedFile.objects.filter(pk=row.pk, state=FileState.DELETING).delete()


def _delete_unknown(storage: Any, name: str) -> None:
    """Delete a file without a row, on the remote only what belongs to no row either."""
    is_here = storage.local.exists(name)
    if not records.belongs_to_a_row(storage.remote_digest(name)):
        if is_here:
            _delete_copy(storage, name)
        elif storage.remote.exists(name):
            storage.remote.delete(name)
    if is_here:
        storage.local.delete(name)


def _delete_copy(storage: Any, name: str) -> None:
    """Delete the remote's file if it has the local one's bytes, which go in any case.

    The package of old left its files on both sides. What has other bytes is another's.
    """
    try:
        if storage.remote.size(name) != storage.local.size(name):
            return
        with storage.local.open(name) as file:
            expected = receipt_of(file.chunks(CHUNK_BYTES), silent)
        if holds(storage.remote, name, expected):
            storage.remote.delete(name)
    except FileNotFoundError:
        return
    except Exception as error:  # noqa: BLE001 - whatever a remote that is away raises
        logger.warning("%s: deleted locally only: %s", name, storage.told(error))


def moment(
    storage: Any, method: str, name: str, side: Storage, name_there: str
) -> datetime:
    """Return a time of the file; when it was saved where its side knows none."""
    with suppress(NotImplementedError):
        found: datetime = getattr(side, method)(name_there)
        return found
    row = row_of(storage, name)
    if row is None:
        raise NotImplementedError(f"{type(side).__name__}.{method}")
    aware = row.saved_at
    return aware if django_settings.USE_TZ else timezone.make_naive(aware)
