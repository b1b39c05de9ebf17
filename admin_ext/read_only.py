"""Model admins that show rows and change none."""

from typing import Any

from django.contrib.admin import ShowFacets
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from unfold.admin import ModelAdmin
from unfold.paginator import InfinitePaginator

from admin_ext.visible import visible
from upload.filter_fields import MAX_SEARCH_LENGTH
from upload.models import UploadSession
from upload.session_search import uuid_prefix


class ReadOnlyAdmin(ModelAdmin):
    """Who may view sees; nobody, the superuser included, adds, changes or deletes.

    ``fields`` of a subclass is all that its page shows, so a column that is not named
    is not read.
    """

    actions = None
    show_full_result_count = False
    show_facets = ShowFacets.NEVER
    list_disable_select_all = True

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        return self.fields or ()

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


class SessionRowsAdmin(ReadOnlyAdmin):
    """Rows that belong to sessions, in tables too long to be counted for each page.

    Shows those of sessions that the person may see. A search is a session's uuid (or
    its first digits), or what ``search_words`` finds.
    """

    paginator = InfinitePaginator
    list_per_page = 50
    session_uuid_field = "session_uuid"
    search_words: tuple[str, ...] = ()
    # The search itself is below; Django shows its box where this is set.
    search_fields = ("pk",)
    search_help_text = _("UUID of the session or file, or a name")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return of_visible_sessions(super().get_queryset(request), request)

    def get_object(self, *args: Any, **kwargs: Any) -> Any:
        """Return the row with its name made visible, as titles show it; never saved."""
        row = super().get_object(*args, **kwargs)
        if hasattr(row, "name"):
            row.name = visible(row.name)
        return row

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        phrase = search_term.strip()
        if not phrase:
            return queryset, False
        if len(phrase) > MAX_SEARCH_LENGTH or "\x00" in phrase:
            return queryset.none(), False
        return queryset.filter(self.matching(phrase)), False

    def matching(self, phrase: str) -> Q:
        found = uuid_prefix(self.session_uuid_field, phrase)
        for lookup in self.search_words:
            found |= Q(**{lookup: phrase})
        return found


def of_visible_sessions(rows: QuerySet[Any], request: HttpRequest) -> QuerySet[Any]:
    """Leave out rows of sessions that the person may not see.

    Rows whose session is gone are for those who may see every session.
    """
    if request.user.has_perm("upload.view_uploadsession"):
        return rows
    return rows.filter(session__in=UploadSession.objects.visible_to(request.user))
