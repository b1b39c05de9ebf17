"""What the session page lists below its heading: files, jobs, events, copies.

Reads only. A page of files costs one query and one storage call a row, however many
files the session has, and no COUNT: one row more than is shown says that there is more.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django.db.models import Count, Min, Sum, TextChoices
from django.http import HttpRequest

from admin_ext.event_words import event_reason, event_words
from upload.models import AccessLog, BaseUploadedFile, FileCopy, UploadSession

FILES_PER_PAGE = 50
JOBS_SHOWN = 10
EVENTS_SHOWN = 50
ACCESSES_SHOWN = 10
MAX_PAGE = 1_000_000
SHOWN_IMAGES = {"image/gif", "image/jpeg", "image/png", "image/webp"}
SHOWN_TEXTS = {"application/json", "application/xml"}  # as text, never run


@dataclass(frozen=True, slots=True)
class Page:
    """One page of a list; ``parameter`` is its name in the query string."""

    rows: list[Any]
    number: int
    has_next: bool
    parameter: str
    query: str  # the other parameters, ready to stand before "&"

    @property
    def previous_url(self) -> str:
        return self._url(self.number - 1) if self.number > 1 else ""

    @property
    def next_url(self) -> str:
        return self._url(self.number + 1) if self.has_next else ""

    def _url(self, number: int) -> str:
        return f"?{self.query}{self.parameter}={number}#{self.parameter}"


def page_of(request: HttpRequest, rows: Any, parameter: str, per_page: int) -> Page:
    """Return the page that the query string names; what is no page is page 1."""
    text = request.GET.get(parameter, "")
    is_number = text.isascii() and text.isdigit() and len(text) < 8
    number = min(max(int(text) if is_number else 1, 1), MAX_PAGE)
    start = (number - 1) * per_page
    found = list(rows[start : start + per_page + 1])
    others = request.GET.copy()
    others.pop(parameter, None)
    query = f"{others.urlencode()}&" if others else ""
    return Page(found[:per_page], number, len(found) > per_page, parameter, query)


def outcome_of(request: HttpRequest, outcomes: type[TextChoices]) -> str:
    """Return the outcome that the query string names, ``""`` if it names none."""
    text = request.GET.get("outcome", "")
    return text if text in outcomes.values else ""


def items_of(request: HttpRequest, items: Any, outcome: str, per_page: int) -> Page:
    """Return the page of a plan's items, of one outcome if one is named."""
    wanted = items.filter(outcome=outcome) if outcome else items
    return page_of(request, wanted.order_by("pk"), "items", per_page)


@dataclass(frozen=True, slots=True)
class FileRow:
    """A file and what its storage says; ``exists`` None: the storage did not answer.

    ``media_url`` is empty where there is nothing to open.
    """

    file: BaseUploadedFile
    exists: bool | None
    media_url: str
    may_open: bool

    @property
    def preview(self) -> str:
        """How the page can show it: "image", "text", or not at all."""
        kind = self.file.content_type
        if kind in SHOWN_IMAGES:
            return "image"
        return "text" if kind.startswith("text/") or kind in SHOWN_TEXTS else ""


@dataclass(frozen=True, slots=True)
class FileList:
    title: str
    page: Page


def file_row(file: BaseUploadedFile, *, may_open: bool) -> FileRow:
    exists = is_there(file)
    url = media_url(file) if exists else ""
    return FileRow(file, exists, url, may_open)


def is_there(file: BaseUploadedFile) -> bool | None:
    """Ask the storage once whether it has the bytes; None where it cannot say."""
    try:
        return file.exists
    except FileNotFoundError:
        return False
    except Exception:  # noqa: BLE001  remote storages raise errors of their own
        return None


def media_url(file: BaseUploadedFile) -> str:
    """Return the storage's own URL; empty where the storage gives none."""
    try:
        return str(file.file_upload.url)
    except (NotImplementedError, ValueError, OSError):
        return ""


@dataclass(frozen=True, slots=True)
class EventLine:
    event: Any
    words: str

    @property
    def reason(self) -> str:
        return event_reason(self.event)


def newest_events(session: UploadSession) -> tuple[list[EventLine], bool]:
    """Return the newest events and whether there are older ones."""
    newest = session.event_set.select_related("job").order_by("-pk")
    found = list(newest[: EVENTS_SHOWN + 1])
    lines = [EventLine(event, event_words(event.code)) for event in found]
    return lines[:EVENTS_SHOWN], len(found) > EVENTS_SHOWN


def newest_accesses(session: UploadSession) -> list[Any]:
    """Return who last opened files of the session."""
    accesses = AccessLog.objects.filter(session_uuid=session.uuid)
    return list(accesses.order_by("-pk")[:ACCESSES_SHOWN])


def newest_jobs(session: UploadSession) -> list[Any]:
    jobs = session.job_set.select_related("destination", "requester")
    return list(jobs.order_by("-pk")[:JOBS_SHOWN])


def copies_by_destination(session: UploadSession) -> Iterable[dict[str, Any]]:
    """Return one row a place: its name, folder, files, bytes and oldest check."""
    copies = FileCopy.objects.filter(session=session).order_by("target_root")
    return copies.values("destination", "destination__name", "target_root").annotate(
        files=Count("pk"), size_bytes=Sum("size_bytes"), verified=Min("verified_at")
    )
