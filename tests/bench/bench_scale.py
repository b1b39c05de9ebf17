"""The admin at a million sessions and ten million files; at a tenth on SQLite.

Starts a PostgreSQL of its own where no database is named. The large database is made
once by ``load_many``, some ten minutes and 7 GB on PostgreSQL, and dropped at the end;
each of its pages is measured in turns with that of a small one, so that the difference
is that of the sizes.
SCALE_SESSIONS makes it smaller. On a busy machine the times are those of the machine:
the fastest of some runs is told beside the median.
"""

import os
import shutil
import sys
import tempfile
from contextlib import ExitStack
from pathlib import Path
from statistics import quantiles

from django.core.management import call_command
from django.db import connection
from django.test import Client
from django.urls import reverse

from tests.bench.copied import Copied
from tests.bench.pages import RUNS, Measured, Page, addresses, clerk, measure
from upload import name_index, rollups
from upload.models import UploadSession

type Row = tuple[str, str, str, bool]

OWN_DATABASE = "postgresql"
NEEDED_BYTES = 20 * 10**9
SMALL = 1000
ROUNDS = 3
MOST_TIMES = 1.5
MOST_MS = 300.0


def run() -> list[Row]:
    """Measure on the database that is open; fill it where it is empty."""
    postgres = connection.vendor == "postgresql"
    wanted = int(os.environ.get("SCALE_SESSIONS", 10**6 if postgres else 10**5))
    with ExitStack() as stack:
        beside = None
        if not UploadSession.objects.exists():
            _require_space()
            _fill(SMALL)
            beside = stack.enter_context(Copied())
            call_command("flush", interactive=False, verbosity=0)
            _fill(wanted)
        return _measured(beside)


def _measured(beside: Copied | None) -> list[Row]:
    client = clerk()
    pages, small = _pages(client, beside)
    rows = [_page(f"list: {name}", found, 15) for name, found in pages.items()]
    quick = sum(found.milliseconds <= MOST_MS for found in pages.values())
    share = quick / len(pages)
    rows.append(
        ("list: pages under 300 ms", f"{share:.0%}", "at least 95 %", share >= 0.95)
    )
    weight = max(found.wire_bytes for found in pages.values())
    rows.append(
        ("list: heaviest page, gzipped", _kb(weight), "60 KB", weight <= 60_000)
    )
    slowest = quantiles([p.milliseconds for p in pages.values()], n=20)[-1]
    rows.append(
        (
            "list: 95th percentile of the pages",
            f"{slowest:.0f} ms",
            f"{MOST_MS:.0f} ms",
            slowest <= MOST_MS,
        )
    )
    if small:
        rows += _times(pages, small)
    rows += [_session_page(client, files) for files in (1000, 100_000)]
    return [*rows, _page("dashboard", measure(client, reverse("admin:index")), 20)]


def _pages(
    client: Client, beside: Copied | None
) -> tuple[dict[str, Measured], dict[str, Measured]]:
    """Measure each page, and in turns with it the same page of the small portal."""
    pages = {name: Page(client, url) for name, url in addresses().items()}
    small: dict[str, Page] = {}
    if beside is not None:
        with beside.asked():
            other = clerk()
            small = {name: Page(other, url) for name, url in addresses().items()}
    for name, page in pages.items():
        for _round in range(ROUNDS):
            page.ask(RUNS // ROUNDS)
            if beside is not None:
                with beside.asked():
                    small[name].ask(RUNS // ROUNDS)
    return _all(pages), _all(small)


def _all(pages: dict[str, Page]) -> dict[str, Measured]:
    return {name: page.measured() for name, page in pages.items()}


def _fill(sessions: int) -> None:
    call_command("load_many", sessions=sessions, files=sessions * 10)
    _settle()
    rollups.refresh()


def _times(pages: dict[str, Measured], small: dict[str, Measured]) -> list[Row]:
    """Compare each page with the same one among 1,000 sessions.

    Where that has fewer rows, with the first page among them, which is full.
    """
    full = small["first page"]
    peers = {n: p if p.rows >= pages[n].rows else full for n, p in small.items()}
    times = {n: p.milliseconds / peers[n].milliseconds for n, p in pages.items()}
    name, limit = f"against {SMALL:,} sessions", f"{MOST_TIMES} times"
    first = times["first page"]
    told = f"{first:.2f} times {full.milliseconds:.0f} ms"
    alike = sum(value <= MOST_TIMES for value in times.values()) / len(times)
    worst = sorted(times, key=lambda page: times[page])[-5:]
    slow = ", ".join(f"{page} {times[page]:.1f}" for page in reversed(worst))
    shorter = sum(peer is full for peer in peers.values()) - 1
    return [
        (f"list: first page, {name}", told, limit, first <= MOST_TIMES),
        (
            f"list: pages, {name}",
            f"{alike:.0%} within ({slow}; {shorter} had fewer rows there)",
            f"{limit}, each of them",
            alike == 1,
        ),
    ]


def _require_space() -> None:
    folder = Path(os.environ.get("DATA_DIR", tempfile.gettempdir()))
    free = shutil.disk_usage(folder).free
    if free < NEEDED_BYTES:
        sys.exit(f"The measurement needs 20 GB of disk; {folder} has {free:,} bytes.")


def _settle() -> None:
    """Let the database know what was loaded, as its own housekeeping would."""
    with connection.cursor() as cursor:
        if connection.vendor == "sqlite":
            cursor.execute("ANALYZE")
            while name_index.extend():
                pass
        else:
            cursor.execute("VACUUM ANALYZE")
            cursor.execute("CHECKPOINT")  # or the disk is busy with it for minutes


def _page(name: str, found: Measured, most_queries: int) -> Row:
    told = (
        f"{found.queries} queries, {found.milliseconds:.0f} ms"
        f" (fastest {found.fastest:.0f}), {_kb(found.size_bytes)}"
    )
    good = found.queries <= most_queries and found.milliseconds <= MOST_MS
    return name, told, f"{most_queries} queries, {MOST_MS:.0f} ms", good


def _session_page(client: Client, files: int) -> Row:
    session = UploadSession.objects.filter(total_files=files).order_by("pk").last()
    if session is None:
        return f"session page, {files:,} files", "none made", "", True
    url = reverse("admin:upload_uploadsession_change", args=[session.pk])
    found = measure(client, url)
    name, told, limit, good = _page(f"session page, {files:,} files", found, 30)
    return name, told, f"{limit}, 300 KB", good and found.size_bytes <= 300_000


def _kb(size_bytes: int) -> str:
    return f"{size_bytes / 1000:.0f} KB"
