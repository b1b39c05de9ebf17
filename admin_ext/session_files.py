"""The files of a session: sorted, searched and paged, whole page or this part alone.

Reads only. Costs one query and one storage call a row shown, however many files there
are; a sort or a search that is not understood is left out.
"""

from dataclasses import dataclass, replace
from typing import Any

from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from admin_ext import inlines
from upload import policy
from upload.filter_fields import MAX_SEARCH_LENGTH
from upload.models import UploadSession

SORTS: dict[str, tuple[Any, str]] = {
    "name": (gettext_lazy("Name"), "name"),
    "size": (gettext_lazy("Size"), "size"),
    "type": (gettext_lazy("Type"), "content_type"),
    "received": (gettext_lazy("Received"), "received_at"),
}


@dataclass(frozen=True, slots=True)
class Asked:
    """What the query string asks of the lists; ``sort`` is a key of ``SORTS``."""

    sort: str = ""
    descending: bool = False
    find: str = ""

    @classmethod
    def of(cls, request: HttpRequest) -> "Asked":
        sort = request.GET.get("sort", "")
        find = request.GET.get("find", "").strip()[:MAX_SEARCH_LENGTH]
        key = sort.removeprefix("-")
        return cls(
            key if key in SORTS else "",
            sort.startswith("-"),
            "" if "\x00" in find else find,
        )

    def narrow(self, files: QuerySet[Any]) -> QuerySet[Any]:
        if self.find:
            files = files.filter(name__icontains=self.find)
        sign = "-" if self.descending else ""
        orders = [f"{sign}{SORTS[self.sort][1]}"] if self.sort else []
        return files.order_by(*orders, f"{sign}pk")


@dataclass(frozen=True, slots=True)
class Heading:
    """A column that sorts; ``aria`` is its value of ``aria-sort``."""

    label: Any
    url: str
    aria: str


def headings(request: HttpRequest, asked: Asked) -> dict[str, Heading]:
    return {key: _heading(request, asked, key) for key in SORTS}


def _heading(request: HttpRequest, asked: Asked, key: str) -> Heading:
    others = request.GET.copy()
    for name in ("sort", "temporary", "permanent"):
        others.pop(name, None)
    here = asked.sort == key
    others["sort"] = f"-{key}" if here and not asked.descending else key
    aria = ("descending" if asked.descending else "ascending") if here else "none"
    return Heading(SORTS[key][0], f"?{others.urlencode()}", aria)


def lists(request: HttpRequest, session: UploadSession) -> list[inlines.FileList]:
    """Return the lists that have rows, temporary files first."""
    asked = Asked.of(request)
    found = [
        inlines.FileList(
            _("Temporary files"), _page(request, session, asked, stored=False)
        ),
        inlines.FileList(
            _("Permanent files"), _page(request, session, asked, stored=True)
        ),
    ]
    return [shown for shown in found if shown.page.rows or shown.page.number > 1]


def _page(
    request: HttpRequest, session: UploadSession, asked: Asked, *, stored: bool
) -> inlines.Page:
    files = session.permuploadedfile_set if stored else session.tempuploadedfile_set
    parameter = "permanent" if stored else "temporary"
    page = inlines.page_of(
        request, asked.narrow(files.all()), parameter, inlines.FILES_PER_PAGE
    )
    may_open = policy.may_download(request.user, session, stored=stored)
    rows = [inlines.file_row(file, may_open=may_open) for file in page.rows]
    return replace(page, rows=rows)


def context(request: HttpRequest, session: UploadSession) -> dict[str, Any]:
    asked = Asked.of(request)
    return {
        "session": session,
        "file_lists": lists(request, session),
        "files_asked": asked,
        "file_headings": headings(request, asked),
    }


def part(request: HttpRequest, session: UploadSession) -> HttpResponse:
    """Answer with the lists alone, for the script that puts them into the page."""
    return render(request, "admin_ext/session/files.html", context(request, session))
