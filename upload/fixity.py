"""Fixity: read files in full and compare them with the digests taken at receipt.

A check moves no session and no byte. It runs beside other jobs: a file that somebody
removes meanwhile counts as removed, not as damaged, by whether its row is still there.
Nothing is overwritten or deleted; a file that fails is marked, told and kept.
"""

import logging
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any

from django.db import IntegrityError, transaction
from django.utils import timezone

from upload import events, items, queues, transitions
from upload.copy_engine import Receipt
from upload.errors import JobCancelled, SourceMissing, UnsafePath
from upload.events import Cause
from upload.items import Planned
from upload.lease import Work
from upload.paths import SICK_DISK
from upload.states import ItemOutcome, JobKind, Outcome
from upload.storage import UploadedFileStorage, digest_of
from upload.targets import Target
from upload.wording import gettext as _

logger = logging.getLogger(__name__)

PREMIS = "fixity check"
# One run of the schedule queues so many; hourly that is 720,000 sessions in 30 days.
DUE_A_RUN = 1000


@dataclass(frozen=True, slots=True)
class Finding:
    """What reading a file gave: its bytes' receipt, or why it could not be read."""

    receipt: Receipt | None
    error: Exception | None = None


def queue_first_check(session: Any) -> None:
    """Queue a check of what was just stored, in the transaction that stored it.

    A check that waits already covers it. The session counts as never checked.
    """
    type(session).objects.filter(pk=session.pk).update(fixity_checked_at=None)
    queue_check(session)


def queue_check(session: Any) -> Any:
    """Insert a check by the system, queued on commit; None where one is active."""
    try:
        with transaction.atomic():
            job = session.job_set.create(
                kind=JobKind.VERIFY,
                session_uuid=session.uuid,
                enqueued_at=timezone.now(),
            )
    except IntegrityError:
        return None
    transaction.on_commit(partial(queues.push_job, job.pk), robust=True)
    return job


def queue_due(sessions: Any, limit: int = DUE_A_RUN) -> int:
    """Queue checks of at most ``limit`` sessions that are due; return how many."""
    due = list(sessions.fixity_due()[:limit])
    return sum(queue_check(session) is not None for session in due)


def take_over(old: Any, new: Any) -> None:
    """Plan for ``new`` what ``old`` planned and did not do; nothing if unplanned."""
    if old.planned_at is None:
        return
    left = old.item_set.exclude(outcome__in=items.SETTLED_WELL).order_by("pk")
    items.write_plan(new, left.values(*items.PLANNED).iterator(chunk_size=500))
    new.note_plan(items.totals(new.item_set.all()))


def run(work: Work, target: Target | None = None) -> None:
    """Check every planned file, at ``target`` or in permanent storage.

    Raise ``JobFailed`` naming files that failed, ``JobCancelled`` where all files were
    removed meanwhile.
    """
    if target is not None:
        target.look()
    items.freeze(work, _plan(work.job))
    for batch in items.batches(work):
        _check_batch(work, target, batch)
    items.require_all_good(work)
    outcomes = work.job.item_set
    gone = outcomes.filter(outcome=ItemOutcome.GONE).exists()
    if gone and not outcomes.exclude(outcome=ItemOutcome.GONE).exists():
        raise JobCancelled(_("All files were removed before they could be verified."))


def _plan(job: Any) -> Iterator[dict[str, Any]]:
    if job.destination_id is None:
        held = job.session.permuploadedfile_set.exclude(file_upload=None)
        yield from items.values_of(held.exclude(file_upload=""))
        return
    copies = job.session.filecopy_set.filter(destination=job.destination)
    names = ("file_uuid", "name", "target_key", "size_bytes", "sha256")
    yield from copies.order_by("pk").values(*names).iterator(chunk_size=500)


def _check_batch(work: Work, target: Target | None, batch: list[Planned]) -> None:
    found = {item.pk: _read(work, target, item) for item in batch}
    with work.fenced():
        transitions.hold(work.session)
        rows = _rows_of(work.job, batch)
        for item in batch:
            _judge(item, found[item.pk], is_there=item.pk in rows)
        _mark(work.job, batch, rows)
        bad = [item for item in batch if item.outcome in items.BAD]
        _tell(work, bad, found)
        items.settle(work, batch)


def _read(work: Work, target: Target | None, item: Planned) -> Finding:
    """Read one file from its disk, a second time where the disk could not give it.

    What is wrong with the place itself is raised.
    """
    work.start_file(item.name)
    try:
        return _read_once(work, target, item)
    except OSError as error:
        if error.errno not in SICK_DISK:
            raise
        logger.warning(
            "Reading %s failed: %s. It is read again.", item.file_uuid, error
        )
    try:
        return _read_once(work, target, item)
    except OSError as error:
        if error.errno not in SICK_DISK:
            raise
        return Finding(None, error)


def _read_once(work: Work, target: Target | None, item: Planned) -> Finding:
    try:
        if target is None:
            storage = UploadedFileStorage()
            return Finding(digest_of(storage, item.source_key, work.beat, fresh=True))
        return Finding(target.digest(item.target_key, work.beat))
    except (FileNotFoundError, NotADirectoryError) as error:
        if target is not None:
            target.look()  # raises where all of the destination is missing
        return Finding(None, _missing(error))
    except UnsafePath as error:
        return Finding(None, error)


def _missing(error: Exception) -> Exception:
    if isinstance(error, SourceMissing):
        return error
    return SourceMissing(_("its bytes are missing"))


def _rows_of(job: Any, batch: list[Planned]) -> dict[int, int]:
    """Return the rows that still promise the files, by the items' keys."""
    if job.destination_id is None:
        wanted = {"uuid__in": [item.file_uuid for item in batch]}
        known = job.session.permuploadedfile_set.filter(**wanted)
        pairs = known.values_list("file_upload", "pk")
        return _by_item(batch, dict(pairs), "source_key")
    copies = job.session.filecopy_set.filter(
        destination=job.destination, target_key__in=[i.target_key for i in batch]
    )
    return _by_item(batch, dict(copies.values_list("target_key", "pk")), "target_key")


def _by_item(batch: list[Planned], rows: dict[str, int], key: str) -> dict[int, int]:
    found = {item.pk: rows.get(getattr(item, key)) for item in batch}
    return {pk: row for pk, row in found.items() if row is not None}


def _judge(item: Planned, found: Finding, *, is_there: bool) -> None:
    if not is_there:
        item.outcome = ItemOutcome.GONE
    elif found.error is not None:
        items.fail(item, found.error)
    elif found.receipt == Receipt(item.size_bytes, item.sha256):
        item.outcome = ItemOutcome.DONE
    else:
        _judge_difference(item, found.receipt)


def _judge_difference(item: Planned, receipt: Receipt | None) -> None:
    expected = Receipt(item.size_bytes, item.sha256)
    if receipt is not None and expected.agrees_with(receipt):
        item.outcome = ItemOutcome.DONE
        return
    items.note(item, ItemOutcome.FAILED, _("its bytes are not those received"))


def _mark(job: Any, batch: list[Planned], rows: dict[int, int]) -> None:
    """Write to the files' rows when they were found good, or bad."""
    permanent = job.destination_id is None
    session = job.session
    files = session.permuploadedfile_set if permanent else session.filecopy_set
    column = "last_verified_at" if permanent else "verified_at"
    now = timezone.now()
    good = [rows[i.pk] for i in batch if i.outcome == ItemOutcome.DONE]
    bad = [rows[i.pk] for i in batch if i.outcome in items.BAD]
    if good:
        values = {column: now, "fixity_failed_at": None}
        files.filter(pk__in=good).update(**values)
    if bad:
        files.filter(pk__in=bad).update(fixity_failed_at=now)


def _tell(work: Work, bad: list[Any], found: dict[int, Finding]) -> None:
    """Write one event and one error line for each file that failed."""
    session, rows = work.session, []
    for item in bad:
        detail = _difference(work.job, item, found[item.pk].receipt)
        cause = Cause(job=work.job, reason=item.error, detail=detail)
        values = events.fields(session, "fixity_failed", PREMIS, cause)
        event = session.event_set.model
        rows.append(event(session=session, outcome=Outcome.FAILURE, **values))
        logger.error("Fixity check failed, session %s: %s", session.uuid, detail)
    if rows:
        session.event_set.bulk_create(rows, batch_size=100)


def _difference(job: Any, item: Planned, receipt: Receipt | None) -> dict[str, Any]:
    told = {
        "file": str(item.file_uuid),
        "name": item.name,
        "expected_size_bytes": item.size_bytes,
        "expected_sha256": item.sha256,
        "found_size_bytes": receipt.size_bytes if receipt else None,
        "found_sha256": receipt.sha256 if receipt else "",
    }
    return told | place_of(job)


def place_of(job: Any) -> dict[str, str]:
    """Return which destination was read, for an event; empty for our own storage."""
    return {"destination": job.destination.name} if job.destination_id else {}


def note_end(work: Work, outcome: Outcome, reason: str) -> None:
    """Record the pass as one event, in the transaction that ends the job."""
    job, session = work.job, work.session
    failed = job.item_set.filter(outcome__in=items.BAD).count()
    detail = {"files": work.files_done, "size_bytes": work.bytes_done, "failed": failed}
    cause = Cause(job=job, reason=reason, detail=detail | place_of(job))
    code = "verified" if outcome == Outcome.SUCCESS else "verify_failed"
    events.record(session, code, PREMIS, cause, outcome)
    if _covers_all(job):
        rows = type(session).objects.filter(pk=session.pk)
        rows.update(fixity_checked_at=job.planned_at)


def _covers_all(job: Any) -> bool:
    """Return whether the pass has judged every permanent file that there is."""
    if job.destination_id is not None or job.planned_at is None:
        return False
    if job.item_set.filter(outcome=ItemOutcome.PENDING).exists():
        return False
    held = job.session.permuploadedfile_set.exclude(file_upload=None)
    return bool(held.count() <= job.item_set.exclude(outcome=ItemOutcome.GONE).count())
