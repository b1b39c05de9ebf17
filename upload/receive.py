"""Take one file in, durably; take one out again.

Order: stage and hash in the temporary storage's file system, make it durable under a
key of our own, then one transaction of compare-and-set, row and event. A crash before
the commit leaves orphan bytes for the sweep, never a row without bytes.
"""

import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from django.core.files.uploadedfile import UploadedFile
from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from upload import conf, events, malware, names, paths, policy, sniff, transitions
from upload.copy_engine import Receipt, verify
from upload.errors import EmptyFileRefused, MunimentError, NameTaken, SizeMismatch
from upload.events import SYSTEM, Cause
from upload.plain_sql import has_row, insert_row
from upload.staging import StagedFile
from upload.states import Verb
from upload.storage import TempFileStorage, fingerprint, receive_into
from upload.turns import in_turn


@dataclass(frozen=True, slots=True)
class Intent:
    """What the sender says of a file. ``numbered``: a taken name gets a number.

    ``via`` names the door it came by where that is no person's own session.
    ``file_uuid`` is the file's own where it has one already; ``settle`` is called in
    the transaction that inserts its row.
    """

    relative_path: str = ""
    sha256: str = ""
    numbered: bool = False
    actor: Any = None
    via: str = ""
    file_uuid: uuid.UUID | None = None
    settle: Callable[[], None] | None = None


PLAIN = Intent()
# Others may take the number that was free a moment ago.
NUMBERED_TRIES = 100


def receive(session: Any, file: UploadedFile, intent: Intent = PLAIN) -> Any:
    """Receive ``file`` and return its ``TempUploadedFile``.

    Raise ``IllegalTransition``, ``NameRefused``, ``NameTaken``, ``EmptyFileRefused``,
    ``SizeMismatch``, ``DigestMismatch``, ``LimitExceeded``,
    ``SessionSubmitted`` or what ``malware`` raises; then nothing is kept.
    """
    policy.require_state(Verb.UPLOAD, session)
    name = names.clean_display_name(file.name or "")
    if not intent.numbered:
        require_free(session, name)
    row = session.tempuploadedfile_set.model(
        session=session,
        uuid=intent.file_uuid or uuid.uuid4(),
        name=name,
        original_name=name,
        relative_path=names.clean_relative_path(intent.relative_path),
        received_by=intent.actor,
    )
    _require_harmless(session, file, intent)
    storage = TempFileStorage()
    key = paths.key_for(session.uuid, row.uuid)
    try:
        _write(row, storage, key, file, intent)
        _commit(session, row, intent)
    except (MunimentError, OSError):
        # Only where the row surely is not there: after a lost connection the commit
        # may have happened, and the sweep decides about the bytes.
        withdraw = file.withdraw if isinstance(file, StagedFile) else storage.delete
        withdraw(key)
        raise
    return row


def _require_harmless(session: Any, file: UploadedFile, intent: Intent) -> None:
    """Scan, which is slow, what there is room for and what is as it was declared."""
    transitions.require_room(session)
    if isinstance(file, StagedFile) and intent.sha256:
        verify(file.name or "", Receipt(file.size or 0, intent.sha256), file.receipt)
    malware.require_clean(session, file, Cause(actor=intent.actor))


def require_free(session: Any, name: str) -> None:
    """Raise ``NameTaken`` where a temporary file of the session has the name."""
    if has_row(session.tempuploadedfile_set.model, session_id=session.pk, name=name):
        _refuse_taken(session, name)


def _refuse_taken(session: Any, name: str) -> None:
    raise NameTaken(
        _(
            "Session %(session)s already has a file called “%(name)s”. Rename one of "
            "them, or ask for a numbered name."
        )
        % {"session": session.uuid, "name": name}
    )


def _write(
    row: Any, storage: Any, key: str, file: UploadedFile, intent: Intent
) -> None:
    """Make the bytes durable under ``key`` and note on ``row`` what they are."""
    head: list[bytes] = []
    expected = Receipt(file.size or 0, intent.sha256) if intent.sha256 else None
    receipt = _place(storage, key, file, head, expected)
    if file.size is not None and receipt.size_bytes != file.size:
        raise SizeMismatch(
            _(
                "“%(name)s” announced %(announced)d bytes, but %(received)d came. Send "
                "it again."
            )
            % {
                "name": row.name,
                "announced": file.size,
                "received": receipt.size_bytes,
            }
        )
    if not receipt.size_bytes and not conf.accept_empty_files():
        raise EmptyFileRefused(
            _("“%(name)s” is empty, and empty files are not accepted here.")
            % {"name": row.name}
        )
    row.file_upload = key
    row.size = receipt.size_bytes
    row.sha256 = receipt.sha256
    row.content_type = _kind(file, head)
    row.fingerprint = (
        file.fingerprint(key)
        if isinstance(file, StagedFile)
        else fingerprint(storage, key)
    )


def _kind(file: UploadedFile, head: list[bytes]) -> str:
    if isinstance(file, StagedFile):
        return file.kind
    return sniff.sniff(b"".join(head), file.name or "")


def _place(
    storage: Any,
    key: str,
    file: UploadedFile,
    head: list[bytes],
    expected: Receipt | None,
) -> Receipt:
    if isinstance(file, StagedFile):
        return file.place(key, expected)
    return receive_into(storage, key, _remember_head(file, head), expected)


def _remember_head(file: UploadedFile, head: list[bytes]) -> Iterator[bytes]:
    wanted = sniff.HEAD_BYTES
    for chunk in file.chunks():
        if wanted > 0:
            head.append(chunk[:wanted])
            wanted -= len(chunk)
        yield chunk


def _commit(session: Any, row: Any, intent: Intent) -> None:
    """Insert the row under its name, or under a free number of it."""
    cause = Cause(actor=intent.actor, detail={"file": row.original_name})
    for _attempt in range(NUMBERED_TRIES):
        try:
            with in_turn(), transaction.atomic():
                _insert(session, row, cause, intent)
            return
        except (IntegrityError, NameTaken):
            if not intent.numbered:
                _refuse_taken(session, row.name)
            row.name = _free_name(session, row.original_name)
    _refuse_taken(session, row.original_name)


def _free_name(session: Any, name: str) -> str:
    """Return a numbered name that no file of the session has now.

    Numbers are doubled, then halved: thousands of files of one name, as folders bring
    them, cost a few questions each.
    """

    def is_taken(number: int) -> bool:
        same = {"name": names.numbered(name, number)}
        both = session.tempuploadedfile_set, session.permuploadedfile_set
        return any(files.filter(**same).exists() for files in both)

    taken, free = 1, 2
    while is_taken(free):
        taken, free = free, free * 2
    while free - taken > 1:
        middle = (taken + free) // 2
        taken, free = (middle, free) if is_taken(middle) else (taken, middle)
    return names.numbered(name, free)


def _insert(session: Any, row: Any, cause: Cause, intent: Intent) -> None:
    transitions.admit_file(session, row.size, cause)
    if intent.via or cause.actor is not None:  # not the models' own method
        policy.require_in_hand(cause.actor, session)
    # No constraint spans both tables: the row of the session, held now, does.
    stored = session.permuploadedfile_set.model
    if has_row(stored, session_id=session.pk, name=row.name):
        _refuse_taken(session, row.name)
    insert_row(row)  # not save(): admit_file has counted the file
    told = Cause(
        actor=cause.actor,
        detail={
            "file": str(row.uuid),
            "name": row.name,
            "size_bytes": row.size,
            "sha256": row.sha256,
        }
        | ({"via": intent.via} if intent.via else {}),
    )
    premis = "message digest calculation"
    events.record_many([(session, "file_received", premis, told)])
    if intent.settle is not None:
        intent.settle()


def remove_by_name(session: Any, name: str, cause: Cause = SYSTEM) -> None:
    """Remove the temporary file called ``name``; ``FileNotFoundError`` if none."""
    policy.require_state(Verb.REMOVE_FILE, session)
    row = session.tempuploadedfile_set.filter(name=name).first()
    if row is None:
        raise _no_such_file(session, name)
    remove(session, row, cause)


def _no_such_file(session: Any, name: str) -> FileNotFoundError:
    return FileNotFoundError(
        _("Session %(session)s has no temporary file called “%(name)s”.")
        % {"session": session.uuid, "name": name}
    )


def remove(session: Any, row: Any, cause: Cause = SYSTEM) -> None:
    """Delete one temporary file of an UPLOADING session; bytes go on commit."""
    policy.require_right(cause.actor, Verb.REMOVE_FILE, session)
    policy.require_state(Verb.REMOVE_FILE, session)
    detail = {"file": str(row.uuid), "name": row.name, "sha256": row.sha256}
    told = Cause(cause.actor, cause.job, cause.reason, detail)
    with transaction.atomic():
        transitions.require_still_uploading(session)
        if cause.actor is not None:
            policy.require_in_hand(cause.actor, session)
        if not row.delete()[0]:  # another removal was first
            raise _no_such_file(session, row.name)
        events.record(session, "file_removed", "deletion", told)
        transitions.empty_if_last(session, told)
