"""Where the bytes of permanent files are, and their transfer asked for by a person.

Only where a second place is set up; the rows of ``queued_storage`` are the truth.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from upload import events, policy
from upload.aliased import behind
from upload.errors import SourceMissing
from upload.events import Cause
from upload.queued_storage.models import SENT, FileState, QueuedFile
from upload.states import Verb
from upload.storage import UploadedFileStorage, has_rows


@dataclass(frozen=True, slots=True)
class Whereabouts:
    """Where one file's bytes are, and how its transfer goes."""

    state: FileState
    attempts: int = 0
    error: str = ""
    next_run_at: datetime | None = None
    transferred_at: datetime | None = None

    @property
    def may_be_asked_for(self) -> bool:
        """Whether a person's asking would change anything."""
        return self.state in {FileState.LOCAL, FileState.FAILED, FileState.DUE}

    @property
    def has_failed(self) -> bool:
        return self.state == FileState.FAILED


# A file without a row was stored before there was a second place.
NEVER_QUEUED = Whereabouts(FileState.LOCAL)


def are_told() -> bool:
    """Return whether permanent files have a second place."""
    return has_rows(UploadedFileStorage())


def of_files(files: Iterable[Any]) -> dict[int, Whereabouts]:
    """Return the whereabouts by the files' keys, by one query."""
    storage = behind(UploadedFileStorage())
    digests = {
        file.pk: storage.name_digest(file.file_upload.name)
        for file in files
        if file.file_upload
    }
    rows = QueuedFile.objects.filter(name_digest__in=digests.values())
    found = {row.name_digest: _told(row) for row in rows}
    return {pk: found.get(digest, NEVER_QUEUED) for pk, digest in digests.items()}


def _told(row: QueuedFile) -> Whereabouts:
    return Whereabouts(
        FileState(row.state),
        row.attempts,
        row.error,
        row.next_run_at if row.state == FileState.DUE else None,
        row.transferred_at,
    )


def may_ask(actor: Any, file: Any) -> bool:
    """Return whether the person may have the file transferred: who may store, may."""
    return policy.has_right(actor, Verb.STORE, file.session)


def ask(file: Any, actor: Any) -> Whereabouts:
    """Have the file transferred now, or again; return its whereabouts.

    What was transferred already stays as it is, and leaves no event. Raise
    ``NotPermitted``; ``SourceMissing`` where its bytes are not here.
    """
    policy.require_right(actor, Verb.STORE, file.session)
    with transaction.atomic():
        try:
            row = file.file_upload.storage.transfer(file.file_upload.name)
        except FileNotFoundError as error:
            raise SourceMissing(
                _("“%(name)s” of session %(session)s has no bytes in its storage.")
                % {"name": file.name, "session": file.session.uuid}
            ) from error
        if row.state not in SENT:
            detail = {"file": str(file.uuid), "name": file.name}
            cause = Cause(actor=actor, detail=detail)
            events.record(file.session, "transfer_asked", "replication", cause)
    return _told(row)
