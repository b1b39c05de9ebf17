"""The pages of the admin as a clerk asks for them, timed and weighed."""

import gzip
import statistics
import time
from dataclasses import dataclass
from typing import Any

from django.contrib.auth import get_user_model
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from fixtures.roles import load_roles
from upload.models import UploadSession

LIST = "/admin/upload/uploadsession/"
RUNS = 9
# The columns of the list by their numbers; the second, the title, sorts nothing.
SORTED = (1, *range(3, 10))


@dataclass(frozen=True, slots=True)
class Measured:
    """Rows, queries, median and least milliseconds, bytes, gzipped bytes."""

    rows: int
    queries: int
    milliseconds: float
    fastest: float
    size_bytes: int
    wire_bytes: int


def clerk() -> Client:
    """Return a client signed in as a superuser of the measured portal."""
    load_roles()
    people: Any = get_user_model()._default_manager
    person = people.filter(username="bench").first() or people.create_superuser("bench")
    client = Client()
    client.force_login(person)
    return client


class Page:
    """A page that is asked for some times; what was measured of it so far."""

    def __init__(self, client: Client, address: str) -> None:
        self._client, self._address = client, address
        self._seconds: list[float] = []
        self._content = b""
        self._queries = 0

    def ask(self, runs: int) -> None:
        """Ask once to warm up and count, then so many times."""
        with CaptureQueriesContext(connection) as queries:
            page = self._client.get(self._address)
            self._queries = len(queries)  # the next request empties the log
        if page.status_code != 200:
            raise AssertionError(f"{self._address} answered {page.status_code}.")
        self._content = page.content
        self._seconds += [self._one() for _run in range(runs)]

    def _one(self) -> float:
        start = time.perf_counter()
        self._client.get(self._address)
        return time.perf_counter() - start

    def measured(self) -> Measured:
        content = self._content
        return Measured(
            content.count(b'name="_selected_action"'),
            self._queries,
            statistics.median(self._seconds) * 1000,
            min(self._seconds) * 1000,
            len(content),
            len(gzip.compress(content, compresslevel=6)),
        )


def measure(client: Client, address: str) -> Measured:
    page = Page(client, address)
    page.ask(RUNS)
    return page.measured()


def addresses() -> dict[str, str]:
    """Return the pages of the list to measure, by what they show."""
    newest = UploadSession.objects.exclude(user=None).order_by("-pk")[50]
    sessions = UploadSession.objects.count()
    day = newest.started_at.date()
    queries = {
        "first page": "",
        "page 2": "p=2",
        "page in the middle": f"p={max(1, sessions // 100)}",
        "last page": f"p={max(1, sessions // 50)}",
        **{f"status {s}": f"status={s}" for s in UploadSession.SessionStatus.values},
        "status open": "status=CR&status=UG",
        "expired": "expiry=expired",
        "expires soon": "expiry=soon",
        "never expires": "expiry=never",
        "expires within an hour": "expires_within=60",
        "owner": f"owner={newest.user.get_username()}",
        "started after": f"started_after={day}",
        "started before": f"started_before={day}",
        "interaction after": f"interaction_after={day}",
        "interaction before": f"interaction_before={day}",
        "size at least": "size_min=40 MB",
        "size at most": "size_max=1 kB",
        "filters together": f"status=SD&started_before={day}&size_min=1 MB",
        **{f"sort {n} up": f"o={n}" for n in SORTED},
        **{f"sort {n} down": f"o=-{n}" for n in SORTED},
        "search uuid": f"q={newest.uuid}",
        "search start of uuid": f"q={str(newest.uuid)[:8]}",
        "search one user": f"q={newest.user.get_username()}",
        "search all users": "q=person",
        "search one file": f"q={newest.pk:07}-00001",
        "search many files": "q=ledger",
        "search some files": "q=Harbour Diary",
        "search two characters": "q=議事",
        "search title": "q=Ledger Minutes 1901",
        "search accession number": f"q=A-{newest.pk // 5 * 5:07}",
        "search nothing": "q=nowhere to be found",
        "search and filter": "q=ledger&status=FD",
    }
    return {name: f"{LIST}?{query}" for name, query in queries.items()}
