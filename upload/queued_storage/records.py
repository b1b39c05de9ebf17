"""The rows of queued files: read quickly, written conditionally.

A worker's write names the fence of its claim and is lost where another claim or a
deletion came between. Nothing here moves a byte.
"""

from collections.abc import Iterable
from datetime import datetime, timedelta
from itertools import batched
from typing import Any, NamedTuple

from django.db import connections, router, transaction
from django.db.models import F, Q
from django.utils import timezone

from upload import worker
from upload.queued_storage.conf import settings
from upload.queued_storage.models import SENT, DrainRequest, FileState, QueuedFile

LONGEST_DELAY = timedelta(hours=1)
MOST_DOUBLINGS = 12

# A row's key and the fence of one claim of it; the same row may be claimed again.
type Claim = tuple[int, int]


class Facts(NamedTuple):
    """What a row tells a reader."""

    state: str
    remote_name: str
    size: int | None

    @property
    def is_sent(self) -> bool:
        return self.state in SENT


def write_alias() -> str:
    return router.db_for_write(QueuedFile)


def facts_of(name_digest: str) -> Facts | None:
    """Return what is known of a file; by plain SQL, which takes a third of the time."""
    table = QueuedFile._meta.db_table
    with connections[router.db_for_read(QueuedFile)].cursor() as cursor:
        cursor.execute(
            f"SELECT state, remote_name, size FROM {table} "  # noqa: S608 - our own name
            "WHERE name_digest = %s",
            [name_digest],
        )
        found = cursor.fetchone()
    return None if found is None else Facts(*found)


def is_free(name_digest: str, remote_digest: str) -> bool:
    """Return whether no file has the name, here or on the remote."""
    table = QueuedFile._meta.db_table
    with connections[router.db_for_read(QueuedFile)].cursor() as cursor:
        cursor.execute(
            f"SELECT 1 FROM {table} "  # noqa: S608 - our own name
            "WHERE name_digest = %s OR remote_digest = %s",
            [name_digest, remote_digest],
        )
        return cursor.fetchone() is None


def is_asked(storage_key: str) -> bool | None:
    """Return whether a task is asked for, None where none ever was."""
    table = DrainRequest._meta.db_table
    with connections[write_alias()].cursor() as cursor:
        cursor.execute(
            f"SELECT is_asked FROM {table} WHERE storage = %s",  # noqa: S608
            [storage_key],
        )
        found = cursor.fetchone()
    return None if found is None else bool(found[0])


def busy_owners() -> set[str]:
    """Return the workers that hold a live lease."""
    held = QueuedFile.objects.filter(next_run_at__gt=timezone.now())
    return set(
        held.exclude(lease_owner="").values_list("lease_owner", flat=True).distinct()
    )


def lease_end() -> datetime:
    return timezone.now() + timedelta(seconds=settings.QUEUED_STORAGE_LEASE_SECONDS)


def due(storage_key: str) -> Any:
    now = timezone.now()
    return QueuedFile.objects.filter(storage=storage_key, next_run_at__lte=now)


def claim(storage_key: str, limit: int) -> list[QueuedFile]:
    """Take up to ``limit`` due rows; each counts as one attempt from now on.

    A row whose worker died is taken alone: should it kill this one as well, no other
    file has an attempt counted for it.
    """
    found = list(due(storage_key).order_by("next_run_at", "pk")[:limit])
    suspects = [row for row in found if row.lease_owner]
    chosen = suspects[:1] or found
    until = lease_end()
    with transaction.atomic(write_alias()):
        return [row for row in chosen if _take(row, until)]


def _take(row: QueuedFile, until: datetime) -> bool:
    values: dict[str, Any] = {
        "attempts": row.attempts + 1,
        "fence": row.fence + 1,
        "lease_owner": worker.owner(),
        "next_run_at": until,
    }
    if row.state in {FileState.DUE, FileState.SENDING}:
        values["state"] = FileState.SENDING
    mine = QueuedFile.objects.filter(
        pk=row.pk, fence=row.fence, next_run_at=row.next_run_at
    )
    if not mine.update(**values):
        return False
    for name, value in values.items():
        setattr(row, name, value)
    return True


def claim_of(row: QueuedFile) -> Claim:
    return row.pk, row.fence


def held(row: QueuedFile) -> Any:
    """Return the row as long as the claim that ``row`` came from holds it."""
    return QueuedFile.objects.filter(pk=row.pk, fence=row.fence)


def is_nobody_elses(row: QueuedFile) -> bool:
    """Return whether no other worker may act on the row: our lease goes on.

    A deletion meanwhile has raised the fence, but waits for the lease.
    """
    deleted = Q(
        fence=row.fence + 1, state=FileState.DELETING, lease_owner=row.lease_owner
    )
    rows = QueuedFile.objects.filter(Q(fence=row.fence) | deleted, pk=row.pk)
    return bool(rows.filter(next_run_at__gt=timezone.now()).exists())


def renew(rows: Iterable[QueuedFile]) -> set[Claim]:
    """Prolong the leases; return the claims that are lost."""
    claims = {claim_of(row) for row in rows}
    keys = [pk for pk, _fence in claims]
    still = QueuedFile.objects.filter(pk__in=keys).values_list("pk", "fence")
    kept = claims & set(still.iterator())
    mine = Q(pk__in=[pk for pk, _fence in kept])
    QueuedFile.objects.filter(mine, lease_owner=worker.owner()).update(
        next_run_at=lease_end()
    )
    return claims - kept


def settle(row: QueuedFile, **values: Any) -> bool:
    """Write how the attempt ended and let go of the row; False where it was lost."""
    ended = {"lease_owner": "", "next_run_at": None, "error": ""} | values
    return bool(held(row).update(**ended))


def retry_later(row: QueuedFile, error: str, delay_seconds: float) -> bool:
    """Give the row back, to be tried again after a delay that doubles each time."""
    doubled = delay_seconds * 2 ** min(row.attempts - 1, MOST_DOUBLINGS)
    longest = max(LONGEST_DELAY.total_seconds(), delay_seconds)
    wait = timedelta(seconds=min(doubled, longest))
    return settle(row, next_run_at=timezone.now() + wait, error=error, **_waiting(row))


def give_back(row: QueuedFile) -> bool:
    """Give the row back as if it had not been taken."""
    return settle(
        row,
        next_run_at=timezone.now(),
        attempts=F("attempts") - 1,
        error=row.error,
        **_waiting(row),
    )


def _waiting(row: QueuedFile) -> dict[str, str]:
    return {"state": FileState.DUE} if row.state == FileState.SENDING else {}


def ask_for(rows: Any) -> int:
    """Make files due that wait for a hand or have failed; return how many.

    What waits for its next attempt is tried now.
    """
    rows.filter(state=FileState.DUE).update(next_run_at=timezone.now())
    waiting = rows.filter(state__in=(FileState.LOCAL, FileState.FAILED))
    return int(
        waiting.update(
            state=FileState.DUE, attempts=0, next_run_at=timezone.now(), error=""
        )
    )


def bury(row: QueuedFile, **values: Any) -> bool:
    """Mark the file as being deleted, whatever a worker is doing with it.

    Where one is, its lease is waited for, so that it writes nothing afterwards.
    """
    if row.state != FileState.SENDING:
        values["next_run_at"] = timezone.now()
    mine = held(row).filter(state=row.state)
    values |= {"state": FileState.DELETING, "attempts": 0, "error": ""}
    is_buried = bool(mine.update(fence=F("fence") + 1, **values))
    row.fence += is_buried
    return is_buried


def keep_for_deletion(row: QueuedFile) -> bool:
    """Have a buried row to oneself for one lease; False where another took it up.

    Without it a worker could end the deletion while its local file is being deleted,
    and that name be a new file's. Who still sends the file keeps the lease it has.
    """
    buried = held(row).filter(state=FileState.DELETING)
    mine = buried.filter(lease_owner="")
    if mine.update(fence=F("fence") + 1, next_run_at=lease_end()):
        row.fence += 1
        return True
    return bool(buried.exists())


def leave_deletion(row: QueuedFile) -> None:
    """Let a worker go on with a deletion now; one that sends the file is waited for."""
    held(row).filter(lease_owner="").update(next_run_at=timezone.now())


def lost(row: QueuedFile) -> None:
    """Let a deletion go on that waits for this worker, which has stopped writing."""
    QueuedFile.objects.filter(
        pk=row.pk, state=FileState.DELETING, lease_owner=worker.owner()
    ).update(next_run_at=timezone.now(), lease_owner="")


def belongs_to_a_row(remote_digest: str) -> bool:
    return QueuedFile.objects.filter(remote_digest=remote_digest).exists()


def names_below(storage_key: str, lead: str) -> Iterable[str]:
    """Yield the names of transferred files that begin so, in folders below as well.

    The others are where the local storage lists them, or they are lost.
    """
    rows = QueuedFile.objects.filter(storage=storage_key, state__in=SENT)
    for name in rows.filter(name__startswith=lead).values_list("name", flat=True):
        # SQLite's LIKE takes no notice of case.
        if name.startswith(lead):
            yield name


def being_deleted(storage: Any, names: Iterable[str]) -> set[str]:
    """Return which of the names are of files that are being deleted."""
    rows = QueuedFile.objects.filter(state=FileState.DELETING)
    return _known(rows, "name_digest", {storage.name_digest(n): n for n in names})


def known_on_remote(storage: Any, names: Iterable[str]) -> set[str]:
    """Return which of the remote's names are of files that a row knows."""
    rows = QueuedFile.objects.filter(storage=storage.storage_key)
    return _known(rows, "remote_digest", {storage.remote_digest(n): n for n in names})


def _known(rows: Any, column: str, names: dict[str, str]) -> set[str]:
    found: set[str] = set()
    for digests in batched(names, 500):
        known = rows.filter(**{f"{column}__in": digests})
        found.update(known.values_list(column, flat=True))
    return {names[digest] for digest in found}
