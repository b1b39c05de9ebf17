"""Exports of the filtered evidence as CSV or XLSX: accesses to files, and events."""

import json
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
from upload.models import AccessLog, SessionEvent

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


class Detail(Text):
    """Renders an event's detail as one line of JSON."""

    def render(self, value: Any, obj: Any = None, **kwargs: Any) -> str:
        return json.dumps(value, ensure_ascii=False, sort_keys=True) if value else ""


class EventResource(resources.ModelResource):
    """One row an event, in the terms of the audit trail and of PREMIS."""

    when = report_field("created_at", gettext_lazy("When (UTC)"), Instant)
    event = report_field("code", gettext_lazy("Event"), Text)
    premis = report_field("premis_type", gettext_lazy("PREMIS type"), Text)
    outcome = report_field("outcome", gettext_lazy("Outcome"), Text)
    who = report_field("actor_name", gettext_lazy("Who"), Text)
    session = report_field("session_uuid", gettext_lazy("Session"), Text)
    job = report_field("job__uuid", gettext_lazy("Job"), Text)
    reason = report_field("reason", gettext_lazy("Reason"), Text)
    detail = report_field("detail", gettext_lazy("Detail"), Detail)

    class Meta:
        model = SessionEvent
        fields = (
            *("when", "event", "premis", "outcome", "who"),
            *("session", "job", "reason", "detail"),
        )
        export_order = fields


class EvidenceExport(ExportMixin):
    """The export of a log, as a mixin of its model admin; each leaves a log line."""

    export_formats = [Csv, Xlsx]
    export_form_class = ExportForm
    to_encoding = "utf-8-sig"
    export_right = ""
    export_name = ""

    def has_export_permission(self, request: HttpRequest) -> bool:
        may_view = self.has_view_permission(request)
        return may_view and request.user.has_perm(self.export_right)

    def filter_is_good(self, request: HttpRequest) -> bool:
        return True

    def export_action(self, request: HttpRequest) -> HttpResponse:
        """Show the form, or give the file; back to the list where a filter is bad."""
        if self.filter_is_good(request):
            try:
                response: HttpResponse = super().export_action(request)
                return response
            except IncorrectLookupParameters:
                pass
        messages.error(request, _("Nothing was exported: correct the filter."))
        return redirect(f"admin:upload_{self.opts.model_name}_changelist")

    def get_export_filename(self, request: Any, queryset: Any, file_format: Any) -> str:
        now = datetime.now(UTC)
        return f"{self.export_name}-{now:%Y%m%dT%H%M%SZ}.{file_format.get_extension()}"

    def get_data_for_export(
        self, request: HttpRequest, queryset: Any, **kwargs: Any
    ) -> Any:
        data = super().get_data_for_export(request, queryset, **kwargs)
        logger.info(
            "%s exported by %s: %d rows, filter %r",
            self.export_name,
            request.user.pk,
            len(data),
            request.META.get("QUERY_STRING", ""),
        )
        return data


class AccessExport(EvidenceExport):
    resource_classes = [AccessResource]
    export_right = "upload.export_uploadsession"
    export_name = "accesses"

    def filter_is_good(self, request: HttpRequest) -> bool:
        return not AccessFilter(request.GET).form.errors


class EventExport(EvidenceExport):
    resource_classes = [EventResource]
    export_right = "upload.export_sessionevent"
    export_name = "events"

    def get_export_queryset(self, request: HttpRequest) -> Any:
        return super().get_export_queryset(request).select_related("job")
