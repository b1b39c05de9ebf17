"""Copy out: permanent files to a destination, each verified against its receipt.

A copy never changes permanent storage, so its session always ends STORED. Files that
are missing or changed are named, and do not stop the others.
"""

import hashlib
from collections.abc import Iterator
from typing import Any

from django.utils import timezone
from django.utils.translation import gettext as _

from upload import items, portable_names
from upload.copy_engine import Receipt
from upload.errors import (
    DestinationRefused,
    DigestMismatch,
    SourceMissing,
    TargetOccupied,
    UnsafePath,
)
from upload.lease import Work
from upload.states import ItemOutcome
from upload.storage import UploadedFileStorage, iter_chunks
from upload.targets import Target

FILE_ERRORS = (SourceMissing, DigestMismatch, TargetOccupied, UnsafePath)


def check(target: Target, session: Any) -> None:
    """Raise where the destination cannot take the session: before any state moves."""
    target.check()
    free = target.free_bytes()
    if free is not None and free < session.total_size_bytes:
        raise DestinationRefused(
            _(
                "The destination has %(free)d bytes free, but session %(session)s "
                "needs %(needed)d. Make room or choose another destination."
            )
            % {
                "free": free,
                "session": session.uuid,
                "needed": session.total_size_bytes,
            }
        )


def plan(session: Any, folder: str) -> Iterator[dict[str, Any]]:
    """Give one item a file; ``folder`` is the session's own below the target."""
    rows = list(session.permuploadedfile_set.order_by("pk"))
    arranged = portable_names.arrange(
        (row.uuid, row.relative_path or row.name) for row in rows
    )
    for row in rows:
        path = arranged[row.uuid]
        yield {
            "file_uuid": row.uuid,
            "name": row.name,
            "source_key": row.file_upload.name or "",
            "target_key": f"{folder}/{path}" if folder else path,
            "size_bytes": row.size,
            "sha256": row.sha256,
        }


def run(work: Work, target: Target) -> None:
    """Copy every planned file. Raise ``JobFailed`` where some could not be."""
    folder = str(work.session.uuid) if work.job.destination_id else ""
    items.freeze(work, plan(work.session, folder))
    check(target, work.session)
    target.drop_staging(work.staging_of_job)
    for batch in items.batches(work):
        with target.batch():
            for item in batch:
                _copy_one(work, target, item)
        with work.fenced():
            _note_copies(work, batch)
            items.settle(work, batch)
    items.require_all_good(work)


def _copy_one(work: Work, target: Target, item: Any) -> None:
    work.start_file(item.name)
    source = UploadedFileStorage()
    try:
        if not item.source_key:
            raise SourceMissing(_("its bytes were removed"))
        target.put(
            item.target_key,
            iter_chunks(source, item.source_key),
            Receipt(item.size_bytes, item.sha256),
            staging_prefix=work.staging_prefix,
            beat=work.beat,
        )
        item.outcome = ItemOutcome.DONE
    except FILE_ERRORS as error:
        items.fail(item, error)


def _note_copies(work: Work, batch: list[Any]) -> None:
    """Write a ``FileCopy`` for each file that the destination now holds."""
    job, session = work.job, work.session
    root = job.destination.folder if job.destination_id else job.target_folder
    now = timezone.now()
    session.filecopy_set.bulk_create(
        [
            session.filecopy_set.model(
                session=session,
                session_uuid=session.uuid,
                file_uuid=item.file_uuid,
                name=item.name,
                destination_id=job.destination_id,
                target_root=root,
                target_key=item.target_key,
                place=_place(root, item.target_key),
                size_bytes=item.size_bytes,
                sha256=item.sha256,
                job=job,
                verified_at=now,
            )
            for item in batch
            if item.outcome == ItemOutcome.DONE
        ],
        update_conflicts=True,
        unique_fields=["place"],
        update_fields=["size_bytes", "sha256", "job", "verified_at", "file_uuid"],
    )


def _place(root: str, key: str) -> str:
    return hashlib.sha256(f"{root}\0{key}".encode()).hexdigest()
