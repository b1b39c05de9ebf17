"""The list of upload sessions in the admin.

Shows stored columns only: no storage is asked, and the number of queries does not
depend on the number of rows. Rows are those that ``visible_to`` gives; nothing is
added, changed or deleted here but by the verbs.
"""

from typing import Any

from django.contrib import admin, messages
from django.contrib.admin import ShowFacets
from django.contrib.admin.views.main import ERROR_FLAG
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.admin import ModelAdmin
from unfold.views import ChangeList

from admin_ext import columns, saved_views
from admin_ext.bulk import SessionActions
from admin_ext.exports import SessionExport
from admin_ext.glance import FirstFiles
from admin_ext.list_filters import filterset_list_filters
from admin_ext.session_list import OPEN_SEARCH, SessionList
from admin_ext.session_page import SessionPage
from upload import policy
from upload.filters import SessionFilter
from upload.models import UploadSession
from upload.states import Verb


@admin.register(UploadSession)
class SessionAdmin(SessionPage, SessionActions, SessionExport, ModelAdmin):
    list_display = (
        columns.short_uuid,
        columns.title,
        columns.status,
        columns.owner,
        columns.started,
        columns.last_interaction,
        columns.files,
        columns.size,
        columns.expiry,
        columns.progress,
    )
    list_display_links = (columns.short_uuid, columns.title)
    list_select_related = ("user",)
    list_filter = filterset_list_filters(SessionFilter)
    list_filter_submit = True
    list_per_page = 50
    list_max_show_all = 100
    list_fullwidth = True
    show_full_result_count = False
    show_facets = ShowFacets.NEVER
    ordering = ("-started_at", "-pk")
    # The search itself is SessionFilter's; Django shows its box where this is set.
    search_fields = ("uuid",)
    search_help_text = gettext_lazy("Session, person, file name or title")
    list_before_template = "admin_ext/session_views.html"
    list_sections = (FirstFiles,)
    change_list_template = "admin_ext/session_list.html"

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:
        return SessionList

    def get_queryset(self, request: HttpRequest) -> QuerySet[UploadSession]:
        sessions: QuerySet[UploadSession] = UploadSession.objects.visible_to(
            request.user
        )
        return sessions

    @admin.display(description=ModelAdmin.action_checkbox.short_description)
    def action_checkbox(self, obj: UploadSession) -> SafeString:
        return columns.selector(obj)

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        """Search by the same filter as the export and the JSON list."""
        found = SessionFilter({"q": search_term}, queryset)
        if problems := found.form.errors.get("q"):
            text = _("Nothing was searched: %(problem)s")
            messages.error(request, text % {"problem": " ".join(problems)})
            return queryset.none(), False
        narrowed = found.qs
        setattr(request, OPEN_SEARCH, found.found and not found.found.is_listed)
        return narrowed, False

    def lookup_allowed(
        self, lookup: str, value: str, request: HttpRequest | None = None
    ) -> bool:
        """Allow the names of the FilterSet and nothing else."""
        return lookup in SessionFilter.base_filters or lookup == ERROR_FLAG

    def has_view_permission(
        self, request: HttpRequest, obj: UploadSession | None = None
    ) -> bool:
        if obj is not None:
            return policy.may_view(request.user, obj)
        return bool(
            request.user.has_perm("upload.view_uploadsession")
            or request.user.has_perm("upload.view_own_uploadsession")
        )

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(
        self, request: HttpRequest, obj: UploadSession | None = None
    ) -> bool:
        return False

    def has_delete_permission(
        self, request: HttpRequest, obj: UploadSession | None = None
    ) -> bool:
        return False

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> Any:
        may_open = request.user.has_perm(
            f"upload.{policy.RULES[Verb.UPLOAD].permission}"
        )
        context = {"may_open_session": may_open, **(extra_context or {})}
        if self.has_view_permission(request):
            context["session_tabs"] = saved_views.tabs(request)
            context["session_chips"] = saved_views.chips(request)
        return super().changelist_view(request, context)
