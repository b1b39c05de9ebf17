"""One attempt at one row, in a thread of the pool: moves bytes, writes no row."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from functools import partial
from typing import Any

from django.core.exceptions import SuspiciousOperation
from django.db import connections
from django.utils.translation import gettext as _

from upload.copy_engine import Receipt
from upload.errors import SourceMissing
from upload.queued_storage import records
from upload.queued_storage.models import FileState, QueuedFile
from upload.queued_storage.sending import (
    NameTaken,
    Sending,
    TransferStopped,
    confirm,
    holds,
)


class End(Enum):
    """How an attempt ended."""

    SENT = "sent"
    ONLY_REMOTE = "only remote"
    ERASED = "erased"
    NAME_TAKEN = "name taken"
    STOPPED = "stopped"
    FAILED = "failed"


@dataclass(slots=True)
class Outcome:
    row: QueuedFile
    task: Any
    sending: Sending
    end: End
    error: str = ""
    is_permanent: bool = False


def expected_of(row: QueuedFile) -> Receipt | None:
    """Return what the bytes are to be, None where they were never hashed."""
    return Receipt(row.size or 0, row.sha256) if row.sha256 else None


def sending_of(row: QueuedFile, check: Callable[[], None]) -> Sending:
    """Return what a claimed row wants to have sent."""
    is_ours = partial(records.is_nobody_elses, row)
    expected = expected_of(row)
    return Sending(row.name, row.remote_name, expected, check, is_ours=is_ours)


def attempt(storage: Any, task: Any, row: QueuedFile, sending: Sending) -> Outcome:
    """Transfer or erase the file; never raises."""
    outcome = Outcome(row, task, sending, End.FAILED)
    try:
        sending.check()
        outcome.end = _end_of(storage, task, row, sending)
    except TransferStopped:
        outcome.end = End.STOPPED
    except NameTaken:
        outcome.end = End.NAME_TAKEN
    except Exception as error:  # noqa: BLE001 - the attempt's edge: kept on the row
        outcome.error = storage.told(error)
        # A task's wrong answer. The kinds of ValueError are a remote's: an expired
        # certificate, a proxy's page where JSON was expected.
        is_wrong = type(error) is ValueError
        is_refused = isinstance(error, SourceMissing | SuspiciousOperation)
        outcome.is_permanent = is_wrong or is_refused
    finally:
        # A remote may have used this thread's own connection to a database.
        connections.close_all()
    return outcome


def _end_of(storage: Any, task: Any, row: QueuedFile, sending: Sending) -> End:
    if row.state == FileState.DELETING:
        _erase(storage, row, sending)
        return End.ERASED
    if row.state == FileState.REMOTE:  # sent and settled; the local file is left
        return End.ONLY_REMOTE
    try:
        is_sent = _run(storage, task, sending)
    except SourceMissing:
        if not holds(storage.remote, sending.remote_name, sending.expected):
            raise
        sending.receipt = sending.expected
        return End.ONLY_REMOTE
    if not is_sent:
        raise OSError(_("The task’s transfer() returned False."))
    if sending.receipt is None:
        confirm(storage.local, storage.remote, sending)
    return End.ONLY_REMOTE if task.deletes_local else End.SENT


def _run(storage: Any, task: Any, sending: Sending) -> bool:
    result: bool = task.run(
        sending.name,
        storage.get_cache_key(sending.name),
        storage.local_path,
        storage.remote_path,
        storage.local_options,
        storage.remote_options,
        local=storage.local,
        remote=storage.remote,
        sending=sending,
    )
    return result


def _erase(storage: Any, row: QueuedFile, sending: Sending) -> None:
    """Delete both sides; on the remote only what surely is ours."""
    # Once another worker has ended this, the name may be a new file's.
    if not records.held(row).exists():
        raise TransferStopped
    storage.local.delete(row.name)
    if not row.remote_name:
        return
    is_ours = row.transferred_at or holds(
        storage.remote, row.remote_name, sending.expected
    )
    # The last look before what cannot be undone: a claim after this one may have
    # given the name to another file.
    if not records.held(row).exists():
        raise TransferStopped
    if is_ours:
        storage.remote.delete(row.remote_name)


def take_back(storage: Any, sending: Sending) -> None:
    """Delete from the remote what this attempt sent for a row that is gone."""
    if holds(storage.remote, sending.remote_name, sending.receipt):
        storage.remote.delete(sending.remote_name)
