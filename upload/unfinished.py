"""Unfinished uploads: how long one lives, and how it ends.

Rows out in a transaction, bytes when it has committed. The sweep is called by a
schedule and a command; an upload that is being written to is left alone.
"""

from contextlib import AbstractContextManager, suppress
from typing import Any

from django.db import transaction
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext as _

from upload import conf, partials, paths, prefix_digest, transitions
from upload.errors import NotFound
from upload.states import OPEN
from upload.tus_errors import UploadLocked


def expiry() -> Any:
    return timezone.now() + conf.unfinished_expire_after()


def gone() -> NotFound:
    return NotFound(_("There is no such upload, or its time is over. Start it anew."))


def key_of(upload: Any) -> str:
    return paths.key_for(upload.session.uuid, upload.uuid)


def change(upload: Any, **values: Any) -> None:
    """Write to an unfinished upload's row; raise ``NotFound`` where it has gone."""
    rows = upload.session.unfinishedupload_set.filter(pk=upload.pk, finished_at=None)
    if not rows.update(**values):
        raise gone()
    for name, value in values.items():
        setattr(upload, name, value)


def held(upload: Any) -> AbstractContextManager[int]:
    """Lock the partial of an upload that is no file yet; see ``partials.held``."""
    return partials.held(upload.uuid, key_of(upload), lambda: _is_open(upload))


def _is_open(upload: Any) -> bool:
    rows = upload.session.unfinishedupload_set.filter(pk=upload.pk, finished_at=None)
    return bool(rows.exists())


def terminate(upload: Any) -> None:
    """End an unfinished upload on its sender's word; its bytes go.

    The file of a finished one stays: removing it is another verb. Raise
    ``UploadLocked`` while bytes are coming.
    """
    try:
        with held(upload):
            end(upload)
    except FileNotFoundError:
        end(upload)


def end(upload: Any) -> bool:
    """Take the row out, then the bytes of one that is no file; True if it was there."""
    rows = type(upload)._default_manager.filter(pk=upload.pk)
    with transaction.atomic():
        transitions.hold(upload.session)
        found = rows.select_for_update().first()
        if found is None:
            return False
        rows.delete()
        if found.finished_at is None:
            transaction.on_commit(lambda: _drop(upload))
    return True


def _drop(upload: Any) -> None:
    prefix_digest.forget(upload.uuid)
    partials.drop(upload.uuid)


def sweep(uploads: Any, *, dry_run: bool = False) -> int:
    """End uploads whose time or session is over, and stray partials; count them.

    ``uploads`` are all rows of the model. One that is being written to is left alone.
    """
    closed = Q(finished_at=None) & ~Q(session__status__in=OPEN)
    over = uploads.filter(Q(expires_at__lte=timezone.now()) | closed)
    ended = 0
    for upload in over.select_related("session").order_by("pk"):
        if dry_run:
            ended += 1
            continue
        with suppress(UploadLocked):
            terminate(upload)
            ended += 1
    return ended + _sweep_strays(uploads, dry_run=dry_run)


def _sweep_strays(uploads: Any, *, dry_run: bool) -> int:
    """Drop partials that no row explains, older than the grace time."""
    dropped = 0
    for uuid in list(partials.strays(conf.orphan_grace().total_seconds())):
        if not uploads.filter(uuid=uuid).exists():
            dropped += 1
            if not dry_run:
                partials.drop(uuid)
    return dropped
