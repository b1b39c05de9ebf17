"""The frozen plan of a job: one row a file, settled batch by batch.

Used by the verbs under a lease. Statements grow with batches, not with files.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db.models import Count, Sum

from upload import wording
from upload.errors import JobFailed, SourceMissing, SourceUnreadable
from upload.insert import insert_rows
from upload.lease import Work
from upload.states import ItemOutcome
from upload.wording import gettext as _
from upload.wording import ngettext

PLANNED = ("file_uuid", "name", "source_key", "target_key", "size_bytes", "sha256")
NOTED = ("outcome", "error", "error_told")
BATCH_FILES = 1000
BATCH_BYTES = 256 * 1024 * 1024
# So many files in a row that cannot be read are no bad sectors: the disk is away.
MOST_UNREADABLE = 10
GOOD = (ItemOutcome.DONE, ItemOutcome.ALREADY)
SETTLED_WELL = (*GOOD, ItemOutcome.GONE)
BAD = (ItemOutcome.MISSING, ItemOutcome.FAILED)


@dataclass(slots=True)
class Planned:
    """A ``JobItem`` that a verb has in hand; ``settle`` writes ``NOTED``."""

    pk: int
    file_uuid: UUID
    name: str
    source_key: str
    target_key: str
    size_bytes: int
    sha256: str
    outcome: str = ItemOutcome.PENDING
    error: str = ""
    error_told: Any = None


def freeze(work: Work, rows: Iterable[dict[str, Any]]) -> None:
    """Write the plan once; a later attempt keeps it and tries again what is not done.

    ``rows`` are the values of ``JobItem`` rows in order; only the first call of a job
    reads them.
    """
    job = work.job
    if job.planned_at is None:
        with work.fenced():
            write_plan(job, rows)
            job.note_plan(totals(job.item_set.all()))
        return
    with work.fenced():
        job.item_set.filter(outcome__in=BAD).update(
            outcome=ItemOutcome.PENDING, error="", error_told=None
        )
    done = totals(job.item_set.filter(outcome__in=GOOD))
    work.files_done, work.bytes_done = done


def write_plan(job: Any, rows: Iterable[dict[str, Any]]) -> None:
    """Insert the job's items, in the transaction that notes the plan."""
    values = ([row.get(name, "") for name in PLANNED] for row in rows)
    insert_rows(job.item_set.model, PLANNED, values, shared={"job_id": job.pk})


def values_of(files: Any) -> Iterator[dict[str, Any]]:
    """Yield what an item keeps of each file, in the order they came."""
    rows = files.order_by("pk").values_list(
        "uuid", "name", "file_upload", "size", "sha256"
    )
    for uuid, name, key, size, sha256 in rows.iterator(chunk_size=500):
        yield {
            "file_uuid": uuid,
            "name": name,
            "source_key": key or "",
            "size_bytes": size,
            "sha256": sha256,
        }


def totals(items: Any) -> tuple[int, int]:
    """Return the files and bytes of some items."""
    sums = items.aggregate(files=Count("pk"), size=Sum("size_bytes"))
    return sums["files"], sums["size"] or 0


def batches(work: Work) -> Iterator[list[Planned]]:
    """Yield the pending items in order, in lists bounded by files and bytes."""
    after = 0
    while True:
        pending = work.job.item_set.filter(outcome=ItemOutcome.PENDING, pk__gt=after)
        rows = pending.order_by("pk").values_list("pk", *PLANNED)[:BATCH_FILES]
        batch = _within_bytes([Planned(*row) for row in rows])
        if not batch:
            return
        after = batch[-1].pk
        yield batch


def _within_bytes(items: list[Planned]) -> list[Planned]:
    size = 0
    for index, item in enumerate(items):
        size += item.size_bytes
        if size > BATCH_BYTES and index:
            return items[:index]
    return items


def settle(work: Work, batch: list[Planned]) -> None:
    """Write the outcomes of one of ``batches``, inside ``work.fenced``.

    One statement an outcome. Every item that is neither good nor bad by now counts as
    an error of the caller.
    """
    rows = work.job.item_set
    for outcome in SETTLED_WELL:
        keys = [item.pk for item in batch if item.outcome == outcome]
        if keys:
            _rows_of(rows, keys, batch).update(outcome=outcome)
    bad = [
        rows.model(pk=item.pk, **{name: getattr(item, name) for name in NOTED})
        for item in batch
        if item.outcome in BAD
    ]
    if bad:
        rows.model.objects.bulk_update(bad, NOTED, batch_size=100)
    good = [item for item in batch if item.outcome in GOOD]
    work.finish_files(len(good), sum(item.size_bytes for item in good))


def _rows_of(rows: Any, keys: list[int], batch: list[Planned]) -> Any:
    """Return the items with these keys; a whole batch is all that is pending in it."""
    if len(keys) < len(batch):
        return rows.filter(pk__in=keys)
    return rows.filter(outcome=ItemOutcome.PENDING, pk__range=(keys[0], keys[-1]))


def fail(item: Planned, error: Exception) -> None:
    """Note on the item why its file could not be done."""
    missing = isinstance(error, SourceMissing)
    outcome = ItemOutcome.MISSING if missing else ItemOutcome.FAILED
    note(item, outcome, wording.of_error(error))


def bear(work: Work, error: SourceUnreadable) -> None:
    """Take it that a disk could not give a file: the others, and an attempt later.

    Raise ``OSError`` where it gives none any more: that ends the attempt.
    """
    work.is_disk_sick = True
    work.unreadable_in_a_row += 1
    if work.unreadable_in_a_row >= MOST_UNREADABLE:
        raise OSError(*error.args) from error


def note(item: Planned, outcome: ItemOutcome, text: str) -> None:
    """Note on the item what became of its file, and why."""
    item.outcome, item.error = outcome, text
    item.error_told = wording.kept_of(text)


def require_all_good(work: Work) -> None:
    """Raise an error that names the first files that are not done.

    It is ``JobFailed``, or ``SourceUnreadable`` where a later attempt may do more.
    """
    bad = work.job.item_set.filter(outcome__in=BAD).order_by("pk")
    count = bad.count()
    if not count:
        return
    named = [
        wording.joined([f"“{item.name}” (", item.error_kept, ")"]) for item in bad[:3]
    ]
    told = ngettext(
        "%(count)d of %(total)d file could not be done: %(named)s",
        "%(count)d of %(total)d files could not be done: %(named)s",
        work.job.files_total,
    ) % {
        "count": count,
        "total": work.job.files_total,
        "named": wording.joined(named, ", "),
    }
    more = _(" and others; see the list of files.") if count > 3 else ""
    kind = SourceUnreadable if work.is_disk_sick else JobFailed
    raise kind(wording.joined([told, more]))
