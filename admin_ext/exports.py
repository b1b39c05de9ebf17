"""Export of the filtered sessions from their list.

Takes the permission ``upload.export_uploadsession``; GET only shows the form. Each
export leaves a log line: who, how many, which filter.
"""

import logging
from datetime import UTC, datetime
from typing import Any

from django.contrib import messages
from django.contrib.admin.options import IncorrectLookupParameters
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from import_export.admin import ExportMixin
from tablib import Dataset
from unfold.contrib.import_export.forms import ExportForm

from admin_ext.reports import Csv, SessionResource, Xlsx
from upload.filters import SessionFilter
from upload.models import UploadSession

logger = logging.getLogger(__name__)


class SessionExport(ExportMixin):
    """The export of the session list, as a mixin of its model admin."""

    resource_classes = [SessionResource]
    export_formats = [Csv, Xlsx]
    export_form_class = ExportForm
    to_encoding = "utf-8-sig"
    export_template_name = "admin_ext/session_export.html"
    import_export_change_list_template = "admin_ext/session_list.html"

    def export_action(self, request: HttpRequest) -> HttpResponse:
        """Show the form, or give the file; back to the list where a filter is bad."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        try:
            response: HttpResponse = super().export_action(request)
        except IncorrectLookupParameters:
            messages.error(request, _("Nothing was exported: correct the filter."))
            return redirect("admin:upload_uploadsession_changelist")
        return response

    def get_export_queryset(self, request: HttpRequest) -> QuerySet[UploadSession]:
        """Return what the list shows by the same filters, without jobs.

        Raise ``IncorrectLookupParameters`` where the list would ignore a bad search.
        """
        if SessionFilter(request.GET).form.errors:
            raise IncorrectLookupParameters
        sessions: QuerySet[UploadSession] = super().get_export_queryset(request)
        return sessions.prefetch_related(None)

    def init_request_context_data(
        self, request: HttpRequest, form: Any
    ) -> dict[str, Any]:
        context: dict[str, Any] = super().init_request_context_data(request, form)
        return context | {"export_count": self.get_export_queryset(request).count()}

    def get_export_filename(self, request: Any, queryset: Any, file_format: Any) -> str:
        now = datetime.now(UTC)
        return f"upload-sessions-{now:%Y%m%dT%H%M%SZ}.{file_format.get_extension()}"

    def get_data_for_export(
        self, request: HttpRequest, queryset: QuerySet[UploadSession], **kwargs: Any
    ) -> Dataset:
        data = super().get_data_for_export(request, queryset, **kwargs)
        logger.info(
            "upload.session.exported by %s: %d sessions, filter %r",
            request.user.pk,
            len(data),
            request.META.get("QUERY_STRING", ""),
        )
        return data
