"""Evidence of a removal: each file in the transaction that takes its row, then one
certificate in the transaction that ends the job.

Reaches its rows through the job's relations. Names no storage key.
"""

import hashlib
from collections.abc import Iterable, Iterator
from typing import Any

from upload.insert import insert_rows
from upload.states import JobState

BATCH_FILES = 1000


def note_removed(job: Any, rows: Iterable[Any], *, stored: bool) -> None:
    """Write down the files whose rows go, in the transaction in which they do."""
    insert_rows(
        job.removed_set.model,
        ("file_uuid", "name", "relative_path", "size_bytes", "sha256"),
        ((row.uuid, row.name, row.relative_path, row.size, row.sha256) for row in rows),
        shared={"job_id": job.pk, "job_uuid": job.uuid, "was_stored": stored},
    )


def certify(job: Any) -> Any:
    """Write the certificate of a removal that ends; return it."""
    session = job.session
    size_bytes, count, digest = _totals(job)
    return job.certificate_set.create(
        job_uuid=job.uuid,
        session=session,
        session_uuid=session.uuid,
        owner_name=session.user.get_username() if session.user else "",
        submissions=[str(row) for row in session.submission_set.all()],
        requested_by=_name(job.requester),
        requested_at=job.created_at,
        reason=job.reason,
        approved_by=_name(job.approver),
        approved_at=job.approved_at,
        files=count,
        size_bytes=size_bytes,
        digest=digest,
        complete=job.state == JobState.SUCCEEDED,
    )


def _name(person: Any) -> str:
    return person.get_username() if person else ""


def _totals(job: Any) -> tuple[int, int, str]:
    """Return bytes, files and digest of the list, read in pieces."""
    size_bytes, count, digest = 0, 0, hashlib.sha256()
    for file in files_of(job):
        size_bytes, count = size_bytes + file.size_bytes, count + 1
        digest.update(line(file).encode("utf-8", "surrogatepass"))
    return size_bytes, count, digest.hexdigest()


def files_of(evidence: Any) -> Iterator[Any]:
    """Give the removed files of a job or of its certificate, in their order."""
    job_uuid = getattr(evidence, "job_uuid", evidence.uuid)
    model = type(evidence)._meta.apps.get_model("upload", "RemovedFile")
    rows = model.objects.filter(job_uuid=job_uuid).order_by("pk")
    yield from rows.iterator(chunk_size=BATCH_FILES)


def line(file: Any) -> str:
    """Return the file's line of which the digest is made."""
    return f"{file.sha256}  {file.size_bytes}  {file.file_uuid}  {file.path}\n"


def verify(certificate: Any) -> bool:
    """Return whether the files on record still are those that were certified."""
    digest = hashlib.sha256()
    for file in files_of(certificate):
        digest.update(line(file).encode("utf-8", "surrogatepass"))
    return digest.hexdigest() == certificate.digest
