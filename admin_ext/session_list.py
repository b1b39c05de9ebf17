"""The session list's pages: found by index, never by counting all that match.

A page is first the ids of its rows, in their order, from an index alone, and then
those rows. One id more than is shown says that there is a next page. A count stops at
``MOST_COUNTED``; pages beyond it are reached by their number or by "next".
"""

from collections.abc import Iterator
from typing import Any

from django.core.paginator import Paginator
from django.db import connection
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.utils.formats import number_format
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from unfold.views import ChangeList

from admin_ext.previews import with_active_jobs
from upload.models import UploadSession

MOST_COUNTED = 10_000
MAX_PAGE = 10**7
# Pages behind so many rows may be read from the last row, if so much lies before them.
FAR, NEAR_THE_END = 100_000, 0.75
FIRST_OWNERS = (8, 100)
MOST_OWNERS = FIRST_OWNERS[-1]
# Set on the request by the search where too many sessions match to be counted.
OPEN_SEARCH = "session_search_is_open"


class SessionPaginator(Paginator):
    """Is told its count; counts nothing."""

    template_name = "admin_ext/session_pages.html"


class SessionList(ChangeList):
    """``is_counted`` false: there are more than ``result_count``."""

    is_counted = True
    page_num: int
    preserved_filters: str

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        # Left there, Django would look up where each link leads before it adds them.
        self._kept_filters, self.preserved_filters = self.preserved_filters, ""

    def url_for_result(self, result: UploadSession) -> str:
        """Return the address of a row's page, which leads back to this list."""
        address = super().url_for_result(result)
        return f"{address}?{self._kept_filters}" if self._kept_filters else address

    def get_results(self, request: HttpRequest) -> None:
        ids = self._ids_of_page()
        if not ids and self.page_num > 1:
            self.page_num = 1
            ids = self._ids_of_page()
        shown = ids[: self._per_page]
        self._count(request, len(shown), has_next=len(ids) > len(shown))
        self.result_list = self._rows(request, shown)
        # Equal: Unfold's header would tell a count that may have stopped.
        self.full_result_count = self.result_count
        self.show_full_result_count = False
        self.show_admin_actions = True
        self.can_show_all = self.is_counted and (
            self.result_count <= self.list_max_show_all
        )
        self.multi_page = self.result_count > self.list_per_page
        self.paginator = SessionPaginator(self.queryset, self.list_per_page)
        self.paginator.count = self.result_count

    @property
    def _per_page(self) -> int:
        return int(self.list_max_show_all if self.show_all else self.list_per_page)

    @property
    def _start(self) -> int:
        if self.show_all or not 1 <= self.page_num <= MAX_PAGE:
            self.page_num = 1
        return int((self.page_num - 1) * self.list_per_page)

    def _ids_of_page(self) -> list[int]:
        start = self._start
        end = start + self._per_page + 1
        for rows in self._shortcuts():
            ids = list(rows.values_list("pk", flat=True)[start:end])
            if len(ids) == end - start:
                return ids
        rows = self.queryset.values_list("pk", flat=True)
        if start > FAR and self._is_near_the_end(start):
            total = rows.order_by().count()
            first, last = max(0, total - end), max(0, total - start)
            return list(rows.reverse()[first:last])[::-1]
        return list(rows[start:end])

    def _is_near_the_end(self, start: int) -> bool:
        """Tell, of all sessions, whether it is quicker to begin at the last one.

        Rows that are passed over are read one by one, and counted by many hands. No
        key is used twice, so there are never more sessions than the highest one.
        """
        if self.queryset.query.where:
            return False
        keys = UploadSession.objects.order_by("-pk").values_list("pk", flat=True)
        return start > (keys.first() or 0) * NEAR_THE_END

    def _shortcuts(self) -> Iterator[QuerySet[UploadSession]]:
        """Yield, where owners sort the list, the sessions of the first few of them.

        No index has sessions by their owner's name. What fills the page is the page.
        """
        by = self.queryset.query.order_by
        if not by or by[0] not in {"user__username", "-user__username"}:
            return
        people: Any = UploadSession._meta.get_field("user").related_model
        named = people._default_manager.order_by(by[0].replace("user__", ""))
        owners = list(named.values_list("pk", flat=True)[:MOST_OWNERS])
        # Where the database puts sessions without an owner first, they are.
        postgres = connection.vendor == "postgresql"
        unowned_first = by[0].startswith("-") == postgres
        for count in FIRST_OWNERS:
            some = Q(user__in=owners[:count])
            if unowned_first:
                some |= Q(user=None)
            yield self.queryset.filter(some)

    def _count(self, request: HttpRequest, shown: int, *, has_next: bool) -> None:
        """Set ``result_count``, exact where ``is_counted``."""
        so_far = self._start + shown
        self.result_count, self.is_counted = so_far, not has_next
        if has_next and not getattr(request, OPEN_SEARCH, False):
            some = self.queryset.order_by()[: MOST_COUNTED + 1]
            counted = some.values("pk").count()
            self.is_counted = counted <= MOST_COUNTED
            self.result_count = max(so_far, min(counted, MOST_COUNTED))
        if not self.is_counted:
            self.result_count += 1  # one more is known to be there: the next page

    def _rows(self, request: HttpRequest, ids: list[int]) -> list[UploadSession]:
        rows = self.model_admin.get_queryset(request).select_related("user").titled()
        by_id = {row.pk: row for row in with_active_jobs(rows.filter(pk__in=ids))}
        return [by_id[pk] for pk in ids if pk in by_id]

    def _get_deterministic_ordering(self, ordering: Any) -> list[Any]:
        """End with the id in the direction of the column: so one index serves both."""
        found = list(super()._get_deterministic_ordering(ordering))
        if found[-1] == "-pk" and len(found) > 1 and not str(found[-2]).startswith("-"):
            found[-1] = "pk"
        return found

    @property
    def count_text(self) -> str:
        """Return how many sessions there are, in words."""
        if self.is_counted:
            return ngettext(
                "%(count)s upload session",
                "%(count)s upload sessions",
                self.result_count,
            ) % {"count": number_format(self.result_count)}
        least = number_format(self.result_count - 1)
        return _("more than %(count)s upload sessions") % {"count": least}
