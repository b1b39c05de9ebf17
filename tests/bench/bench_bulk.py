"""Bulk actions: how soon the pages answer, and how many sessions a second expire.

The pages choose all of 100,000 sessions of ``load_many``; what expires are sessions of
one small file each, with real bytes. BULK_SESSIONS and BULK_EXPIRED make them fewer.
"""

import os
import time
from pathlib import Path
from typing import Any
from uuid import uuid4

from django.core.management import call_command
from django.test import Client

from tests.bench.pages import LIST, clerk
from upload import orders, paths, rollups, tasks
from upload.models import BulkOrder, SessionEvent, TempUploadedFile, UploadSession
from upload.orders import Wish
from upload.states import OrderOutcome, SessionStatus
from upload.storage import TempFileStorage, fingerprint, local_path

type Row = tuple[str, str, str, bool]

OWN_DATABASE = "sqlite"
CONTENT = b"one small file\n"
MOST_SECONDS = 2.0
LEAST_A_SECOND = 500
BATCH = 1000


def run() -> list[Row]:
    """Measure on the database that is open; fill it where it is empty."""
    if not UploadSession.objects.exists():
        wanted = int(os.environ.get("BULK_SESSIONS", 10**5))
        call_command("load_many", sessions=wanted, files=wanted * 2)
    rollups.refresh()
    client = clerk()
    client.get(LIST)  # what is loaded once, is
    return [*_pages(client), _expiry()]


def _pages(client: Client) -> list[Row]:
    """Choose all sessions, look at the preview, confirm; nothing is run."""
    chosen = {"action": "hold_sessions", "select_across": "1", "index": "0"}
    first = UploadSession.objects.values_list("pk", flat=True)[:1]
    asked = {**chosen, "_selected_action": list(first)}
    seconds, response = _timed(lambda: client.post(LIST, asked, follow=True))
    order = BulkOrder.objects.latest("pk")
    rows = [_answer("preview", seconds, order, response.status_code == 200)]
    preview = response.redirect_chain[-1][0]
    seconds, _answered = _timed(
        lambda: client.post(preview, {"confirm": "1", "reason": "Bench"})
    )
    order.refresh_from_db()
    return [*rows, _answer("confirm", seconds, order, not order.is_draft)]


def _timed(deed: Any) -> tuple[float, Any]:
    start = time.perf_counter()
    found = deed()
    return time.perf_counter() - start, found


def _answer(name: str, seconds: float, order: BulkOrder, right: bool) -> Row:
    return (
        f"bulk: {name} of {order.sessions_total:,} sessions",
        f"{seconds:.2f} s",
        f"{MOST_SECONDS:.0f} s",
        right and seconds <= MOST_SECONDS,
    )


def _expiry() -> Row:
    count = int(os.environ.get("BULK_EXPIRED", 10**4))
    keys = _real_sessions(count)
    client: Any = _person()
    order = orders.draft("expire", UploadSession.objects.filter(pk__in=keys), client)
    orders.confirm(order, client, Wish("Bench"))
    os.sync()
    seconds, _done = _timed(lambda: _run(order))
    done = order.item_set.filter(outcome=OrderOutcome.DONE).count()
    events = SessionEvent.objects.filter(session__in=keys, code__endswith=".expired")
    whole = done == events.count() == count
    rate = count / seconds
    return (
        f"bulk: {count:,} sessions of one file expire, with events",
        f"{rate:,.0f} sessions/s",
        f"{LEAST_A_SECOND} sessions/s",
        whole and rate >= LEAST_A_SECOND,
    )


def _person() -> Any:
    from portal.models import User

    return User.objects.get(username="bench")


def _run(order: BulkOrder) -> None:
    while not order.has_ended and tasks.run_order(order.pk):
        order.refresh_from_db()


def _real_sessions(count: int) -> list[int]:
    keys: list[int] = []
    for start in range(0, count, BATCH):
        keys += _some_sessions(min(BATCH, count - start))
    return keys


def _some_sessions(count: int) -> list[int]:
    storage = TempFileStorage()
    made = UploadSession.objects.bulk_create(
        UploadSession(
            status=SessionStatus.UPLOADING,
            total_files=1,
            total_size_bytes=len(CONTENT),
        )
        for _number in range(count)
    )
    rows = []
    for session in made:
        row = TempUploadedFile(session=session, uuid=uuid4(), name="a.txt")
        row.original_name, row.size = row.name, len(CONTENT)
        row.file_upload = paths.key_for(session.uuid, row.uuid)
        path = Path(str(local_path(storage, row.file_upload.name)))
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(CONTENT)
        row.fingerprint = fingerprint(storage, str(row.file_upload.name))
        rows.append(row)
    TempUploadedFile.objects.bulk_create(rows)
    return [session.pk for session in made]
