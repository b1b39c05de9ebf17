"""Bytes that no row refers to, and rows whose bytes are gone.

Called by a schedule and a command. Takes only what our own records explain: in
permanent storage a key that a removal or an unfinished store names, in temporary
storage a key of a session that is known. Everything else is reported and kept, so that
a database restored from an old backup never costs bytes.
"""

import logging
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from uuid import UUID

from django.core.files.storage import Storage
from django.utils import timezone

from upload import conf, discard, paths
from upload.models import (
    Destination,
    JobItem,
    PermUploadedFile,
    TempUploadedFile,
    UploadSession,
)
from upload.states import JobKind, SessionStatus
from upload.storage import (
    TempFileStorage,
    UploadedFileStorage,
    drop_staging,
    local_path,
)

logger = logging.getLogger(__name__)

PERMANENT, TEMPORARY = "uploaded", "temp"


@dataclass(slots=True)
class Found:
    """What one sweep saw. Keys are ``alias:key``, missing files ``alias:uuid``."""

    deleted: list[str] = field(default_factory=list)
    unexplained: list[str] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)
    staging_dropped: int = 0


def sweep(*, dry_run: bool = False) -> Found:
    """Delete explained orphans older than ORPHAN_GRACE_HOURS; report the rest."""
    found = Found()
    for alias, storage in _storages():
        for key in _old_keys(storage):
            _judge(alias, storage, key, found, dry_run=dry_run)
        if not dry_run:
            found.staging_dropped += drop_staging(storage, "", _grace().total_seconds())
    if not dry_run:
        found.staging_dropped += _drop_staging_of_destinations()
    found.missing.extend(_missing())
    return found


def _storages() -> list[tuple[str, Storage]]:
    return [(TEMPORARY, TempFileStorage()), (PERMANENT, UploadedFileStorage())]


def _grace() -> timedelta:
    return conf.orphan_grace()


def _old_keys(storage: Storage) -> Iterator[str]:
    """Yield the keys that nobody has written or linked within the grace time."""
    before = timezone.now() - _grace()
    for key in _keys(storage, ""):
        try:
            if _changed_at(storage, key) < before:
                yield key
        except FileNotFoundError:
            continue  # stored or removed meanwhile


def _keys(storage: Storage, folder: str) -> Iterator[str]:
    try:
        folders, files = storage.listdir(folder)
    except FileNotFoundError:
        return
    prefix = f"{folder}/" if folder else ""
    for name in files:
        yield f"{prefix}{name}"
    for name in folders:
        yield from _keys(storage, f"{prefix}{name}")


def _changed_at(storage: Storage, key: str) -> datetime:
    """Return the last change; a new link to old bytes counts as a change."""
    path = local_path(storage, key)
    if path is None:
        return storage.get_modified_time(key)
    seen = path.lstat()
    return datetime.fromtimestamp(max(seen.st_mtime, seen.st_ctime), UTC)


def _judge(
    alias: str, storage: Storage, key: str, found: Found, *, dry_run: bool
) -> None:
    rows = TempUploadedFile if alias == TEMPORARY else PermUploadedFile
    if rows.objects.filter(file_upload=key).exists():
        return
    session = _session_of(key)
    if session is None or not _is_explained(alias, key, session):
        found.unexplained.append(f"{alias}:{key}")
        logger.warning("Orphan kept, nothing explains it: %s:%s", alias, key)
        return
    if session.job_set.moving().exists() or _is_unfinished(alias, key, session):
        return
    found.deleted.append(f"{alias}:{key}")
    if not dry_run:
        logger.info("Orphan deleted: %s:%s", alias, key)
        discard.delete_bytes(storage, [key])


def _is_unfinished(alias: str, key: str, session: UploadSession) -> bool:
    """Return whether a crash left a resumable upload here, which goes on from it."""
    if alias != TEMPORARY:
        return False
    begun = session.unfinishedupload_set.filter(finished_at=None)
    uuids = begun.values_list("uuid", flat=True)
    return any(paths.key_for(session.uuid, uuid) == key for uuid in uuids)


def _session_of(key: str) -> UploadSession | None:
    """Return the session that the key names, see ``paths.key_for``."""
    parts = key.split("/")
    try:
        return UploadSession.objects.filter(uuid=UUID(hex=parts[1])).first()
    except (IndexError, ValueError):
        return None


def _is_explained(alias: str, key: str, session: UploadSession) -> bool:
    if alias == TEMPORARY:
        return True
    unfinished = session.tempuploadedfile_set.filter(uuid=UUID(hex=key.split("/")[-1]))
    if any(row.exists for row in unfinished):
        return True  # an unfinished store: the temporary row still has its bytes
    # Whatever its outcome: a removal that was given up has taken the row out too.
    removed = JobItem.objects.filter(job__kind=JobKind.REMOVE, source_key=key)
    return removed.exists()


def _drop_staging_of_destinations() -> int:
    dropped = 0
    for destination in Destination.objects.enabled():
        try:
            with closing(destination.target()) as target:
                target.check()
                dropped += target.drop_staging("", _grace().total_seconds())
        except Exception:
            logger.exception("Destination %s could not be swept.", destination.name)
    return dropped


def _missing() -> Iterator[str]:
    """Yield the files whose row promises bytes that are not there."""
    for alias, model in ((TEMPORARY, TempUploadedFile), (PERMANENT, PermUploadedFile)):
        # An expired session promises no bytes; a purge that died left its rows.
        promised = model.objects.exclude(session__status=SessionStatus.EXPIRED)
        rows = promised.exclude(file_upload=None).exclude(file_upload="")
        for row in rows.iterator(chunk_size=500):
            if not row.exists:
                logger.error("Bytes missing: %s:%s", alias, row.uuid)
                yield f"{alias}:{row.uuid}"
