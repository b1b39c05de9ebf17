"""Write how attempts ended, then do what may only follow: delete locally, tell."""

import logging
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from upload import worker
from upload.queued_storage import hints, records
from upload.queued_storage.attempts import End, Outcome, take_back
from upload.queued_storage.models import FileState, QueuedFile
from upload.queued_storage.signals import file_transferred

logger = logging.getLogger(__name__)


@dataclass(slots=True)
class Counts:
    """What one turn did."""

    sent: int = 0
    erased: int = 0
    failed: int = 0

    def __str__(self) -> str:
        return f"{self.sent} transferred, {self.erased} deleted, {self.failed} failed"


def settle(storage: Any, outcomes: list[Outcome], counts: Counts) -> None:
    """Write all ends in one transaction, then follow them up."""
    if not outcomes:
        return
    with transaction.atomic(records.write_alias()):
        kept = [outcome for outcome in outcomes if _write(storage, outcome)]
    for outcome in outcomes:
        if outcome not in kept:
            _give_up(storage, outcome)
    sent = [o for o in kept if o.end in {End.SENT, End.ONLY_REMOTE}]
    counts.erased += sum(o.end is End.ERASED for o in kept)
    counts.failed += sum(o.end is End.FAILED for o in kept)
    new = [o for o in sent if o.row.state == FileState.SENDING]
    counts.sent += len(new)
    only_remote = [o for o in sent if o.end is End.ONLY_REMOTE]
    _drop_local(storage, only_remote)
    for outcome in new:
        _tell(storage, outcome)


def _write(storage: Any, outcome: Outcome) -> bool:
    row, end = outcome.row, outcome.end
    if end is End.STOPPED:
        return records.give_back(row)
    if end is End.ERASED:
        return bool(records.held(row).delete()[0])
    if end is End.FAILED:
        return _write_failure(outcome)
    if row.state == FileState.REMOTE:
        return bool(records.held(row).update(next_run_at=records.lease_end()))
    return _write_sent(storage, outcome)


def _write_failure(outcome: Outcome) -> bool:
    row, task = outcome.row, outcome.task
    logger.warning("%s: attempt %d failed: %s", row.name, row.attempts, outcome.error)
    is_over = outcome.is_permanent or is_last(task, row.attempts)
    if is_over and row.state == FileState.SENDING:
        return fail(row, outcome.error)
    return records.retry_later(row, outcome.error, task.default_retry_delay)


def is_last(task: Any, attempts: int) -> bool:
    """Return whether no attempt follows this one; None allows any number of them."""
    return task.max_retries is not None and attempts > task.max_retries


def fail(row: QueuedFile, error: str) -> bool:
    """End the transfer for good; a person may ask for it again."""
    logger.error("%s: the transfer failed: %s", row.name, error)
    return records.settle(row, state=FileState.FAILED, error=error)


def _write_sent(storage: Any, outcome: Outcome) -> bool:
    """Write where the bytes are. ``ONLY_REMOTE`` keeps its lease for the deletion."""
    row, sending = outcome.row, outcome.sending
    values: dict[str, Any] = {
        "transferred_at": timezone.now(),
        "state": FileState.BOTH,
        "size": sending.receipt.size_bytes if sending.receipt else row.size,
        "sha256": sending.receipt.sha256 if sending.receipt else row.sha256,
    }
    if outcome.end is End.ONLY_REMOTE:
        values |= {
            "state": FileState.REMOTE,
            "next_run_at": records.lease_end(),
            "lease_owner": worker.owner(),
        }
    if sending.remote_name != row.remote_name:  # the remote has renamed it
        values["remote_name"] = sending.remote_name
        values["remote_digest"] = storage.remote_digest(sending.remote_name)
    try:
        with transaction.atomic(records.write_alias()):
            return records.settle(row, **values)
    except IntegrityError:
        outcome.end = End.FAILED
        words = _("The remote gave the name “%(name)s”, which is another file's.")
        outcome.error = words % {"name": sending.remote_name}
        return _write_failure(outcome)


def _drop_local(storage: Any, outcomes: list[Outcome]) -> None:
    """Delete the local files whose rows still say that the remote has them."""
    if not outcomes:
        return
    lost = records.renew([o.row for o in outcomes])
    gone: list[QueuedFile] = []
    for outcome in outcomes:
        row = outcome.row
        if records.claim_of(row) in lost:
            continue
        row.state = FileState.REMOTE
        hints.forget(storage.get_cache_key(row.name))
        try:
            storage.local.delete(row.name)
        except Exception as error:  # noqa: BLE001 - one file must not stop the others
            told = storage.told(error)
            logger.warning("%s: the local file stays for now: %s", row.name, told)
            records.retry_later(row, told, outcome.task.default_retry_delay)
        else:
            gone.append(row)
    with transaction.atomic(records.write_alias()):
        for row in gone:
            records.settle(row, local_left=False)


def _tell(storage: Any, outcome: Outcome) -> None:
    """Set the hints and send the signal; a receiver's error is logged by Django."""
    row = outcome.row
    if outcome.end is End.SENT:
        hints.say_local(storage.get_cache_key(row.name))
    if row.cache_key:
        hints.say_local(row.cache_key)
    file_transferred.send_robust(
        type(outcome.task),
        name=row.name,
        local=storage.local,
        remote=storage.remote_under(row.name, outcome.sending.remote_name),
    )


def _give_up(storage: Any, outcome: Outcome) -> None:
    """Leave nothing on the remote for a row that was deleted meanwhile."""
    records.lost(outcome.row)
    if outcome.end not in {End.SENT, End.ONLY_REMOTE}:
        return
    name = outcome.sending.remote_name
    if records.belongs_to_a_row(storage.remote_digest(name)):
        return
    with suppress(Exception):
        take_back(storage, outcome.sending)
