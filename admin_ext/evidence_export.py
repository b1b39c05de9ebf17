"""Export of the filtered accesses: who opened which file, when, as CSV or XLSX."""

import logging
from datetime import UTC, datetime
from typing import Any

from django.contrib import messages
from django.contrib.admin.options import IncorrectLookupParameters
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from import_export import resources
from import_export.admin import ExportMixin
from unfold.contrib.import_export.forms import ExportForm

from admin_ext.reports import Csv, Instant, Text, Xlsx, report_field
from upload.filters import AccessFilter
from upload.models import AccessLog

logger = logging.getLogger(__name__)


class AccessResource(resources.ModelResource):
    """One row an access."""

    when = report_field("created_at", gettext_lazy("When (UTC)"), Instant)
    who = report_field("user_name", gettext_lazy("Who"), Text)
    action = report_field("action", gettext_lazy("Action"), Text)
    name = report_field("name", gettext_lazy("Name"), Text)
    file = report_field("file_uuid", gettext_lazy("File"), Text)
    session = report_field("session_uuid", gettext_lazy("Session"), Text)

    class Meta:
        model = AccessLog
        fields = ("when", "who", "action", "name", "file", "session")
        export_order = fields


class AccessExport(ExportMixin):
    """The export of the log, as a mixin of its model admin; each leaves a log line."""

    resource_classes = [AccessResource]
    export_formats = [Csv, Xlsx]
    export_form_class = ExportForm
    to_encoding = "utf-8-sig"

    def has_export_permission(self, request: HttpRequest) -> bool:
        may_view = self.has_view_permission(request)
        return may_view and request.user.has_perm("upload.export_uploadsession")

    def export_action(self, request: HttpRequest) -> HttpResponse:
        """Show the form, or give the file; back to the list where a filter is bad."""
        if not AccessFilter(request.GET).form.errors:
            try:
                response: HttpResponse = super().export_action(request)
                return response
            except IncorrectLookupParameters:
                pass
        messages.error(request, _("Nothing was exported: correct the filter."))
        return redirect("admin:upload_accesslog_changelist")

    def get_export_filename(self, request: Any, queryset: Any, file_format: Any) -> str:
        now = datetime.now(UTC)
        return f"accesses-{now:%Y%m%dT%H%M%SZ}.{file_format.get_extension()}"

    def get_data_for_export(
        self, request: HttpRequest, queryset: Any, **kwargs: Any
    ) -> Any:
        data = super().get_data_for_export(request, queryset, **kwargs)
        logger.info(
            "upload.access.exported by %s: %d accesses, filter %r",
            request.user.pk,
            len(data),
            request.META.get("QUERY_STRING", ""),
        )
        return data
