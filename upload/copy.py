"""Copy out: permanent files to a destination, each verified against its receipt.

A copy never changes permanent storage, so its session always ends STORED. Files that
are missing or changed are named, and do not stop the others; a bag is finished only
when all are there. What counts is what the destination gives back when it is read.
"""

import hashlib
from collections.abc import Callable, Iterator
from operator import attrgetter
from typing import Any

from django.db.models import Sum
from django.utils import timezone

from upload import bagging, items
from upload.copy_engine import Receipt
from upload.errors import (
    FILE_ERRORS,
    DestinationCorrupts,
    DestinationRefused,
    DigestMismatch,
    SourceMissing,
    SourceUnreadable,
)
from upload.group import Parcel
from upload.insert import insert_rows
from upload.items import Planned
from upload.layout import Layout, layout_for
from upload.lease import Work
from upload.reading import reading
from upload.states import ItemOutcome
from upload.storage import UploadedFileStorage, digest_of
from upload.targets import Target
from upload.wording import gettext as _

NOTED = ("file_uuid", "name", "target_key", "size_bytes", "sha256")

type Read = Callable[[str], Iterator[bytes]]


def check(target: Target, session: Any, destination: Any, root: str = "") -> None:
    """Raise where a destination cannot take the session: before any state moves.

    ``root`` is the folder where there is no ``Destination``. What it is known to hold
    of the session needs no room.
    """
    target.check()
    free = target.free_bytes()
    needed = session.total_size_bytes
    if free is None or free >= needed:
        return
    needed -= _held_bytes(session, destination, root)
    if free < needed:
        raise DestinationRefused(
            _(
                "The destination has %(free)d bytes free, but session %(session)s "
                "needs %(needed)d. Make room or choose another destination."
            )
            % {"free": free, "session": session.uuid, "needed": needed}
        )


def _held_bytes(session: Any, destination: Any, root: str) -> int:
    """Return how much of the session a destination, or a folder, is known to hold."""
    files = session.permuploadedfile_set.values("uuid")
    known = session.filecopy_set.filter(file_uuid__in=files, destination=destination)
    if destination is None:
        known = known.filter(target_root=root)
    return int(known.aggregate(size=Sum("size_bytes"))["size"] or 0)


def run(work: Work, target: Target) -> None:
    """Copy every planned file. Raise an error where some could not be."""
    job, session = work.job, work.session
    layout = layout_for(session, job.destination)
    items.freeze(work, layout.plan(session))
    _require_layout_of_plan(work, layout)
    check(target, session, job.destination, job.target_folder)
    target.drop_staging(work.staging_of_job)
    if layout.is_bag:
        bagging.prepare(work, target, layout)
    elif layout.folder:
        bagging.refuse_bag(work, target, layout)
    for batch in items.batches(work):
        _copy_batch(work, target, batch)
    items.require_all_good(work)
    if layout.is_bag:
        bagging.finish(work, target, layout)


def _require_layout_of_plan(work: Work, layout: Layout) -> None:
    """Refuse to go on where the destination's layout changed between two attempts."""
    item = work.job.item_set.order_by("pk").first()
    if item is None:
        return
    rows = work.session.permuploadedfile_set.filter(uuid=item.file_uuid)
    row = rows.values("name", "relative_path").first()
    if row is not None and not layout.planned(item.target_key, row):
        raise DestinationRefused(
            _(
                "The layout of destination “%(name)s” was changed while this copy was "
                "under way. Ask for the copy again."
            )
            % {"name": work.job.destination}
        )


def _copy_batch(work: Work, target: Target, batch: list[Planned]) -> None:
    source = UploadedFileStorage()
    for item in batch:
        item.outcome = ItemOutcome.DONE
    by_key = {item.target_key: item for item in batch}
    with reading(source) as read:
        parcels = (
            Parcel(key, _bytes_of(work, read, item), _receipt_of(item))
            for key, item in by_key.items()
        )
        errors = target.put_many(parcels, work.staging_prefix, work.beat)
    for key, error in errors.items():
        if isinstance(error, DigestMismatch):
            error = _who_changed_it(work, source, by_key[key], error)
        items.fail(by_key[key], error)
    with work.fenced():
        _note_copies(work, batch)
        items.settle(work, batch)


def _bytes_of(work: Work, read: Read, item: Planned) -> Iterator[bytes]:
    """Yield the item's bytes; nothing is opened or told before the first is asked."""
    work.start_file(item.name)
    if not item.source_key:
        raise SourceMissing(_("its bytes were removed"))
    try:
        yield from read(item.source_key)
    except SourceUnreadable as error:
        items.bear(work, error)
        raise
    work.unreadable_in_a_row = 0


def _receipt_of(item: Planned) -> Receipt:
    return Receipt(item.size_bytes, item.sha256)


def _who_changed_it(
    work: Work, source: Any, item: Planned, error: DigestMismatch
) -> Exception:
    """Return the error to tell: the source's, or the destination's where that is good.

    The bytes were hashed once, when the destination gave them back.
    """
    try:
        found = digest_of(source, item.source_key, lambda count: work.beat(0))
    except FILE_ERRORS as worse:
        return worse
    if not _receipt_of(item).agrees_with(found):
        return DigestMismatch(
            item.name, error.expected, (found.size_bytes, found.sha256)
        )
    return DestinationCorrupts(item.name)


def _note_copies(work: Work, batch: list[Planned]) -> None:
    """Write a ``FileCopy`` for each file that the destination now holds."""
    job, session = work.job, work.session
    noted = attrgetter(*NOTED)
    root = job.destination.root if job.destination_id else job.target_folder
    insert_rows(
        session.filecopy_set.model,
        (*NOTED, "place"),
        (
            (*noted(item), _place(root, item.target_key))
            for item in batch
            if item.outcome == ItemOutcome.DONE
        ),
        shared={
            "session_id": session.pk,
            "session_uuid": session.uuid,
            "destination_id": job.destination_id,
            "target_root": root,
            "job_id": job.pk,
            "verified_at": timezone.now(),
        },
        replacing="place",
    )


def _place(root: str, key: str) -> str:
    return hashlib.sha256(f"{root}\0{key}".encode()).hexdigest()
