"""The session report: its fields, and the formats that it is written in.

The fields are listed; the token is not among them. Every cell goes through ``cells``.
"""

from collections.abc import Iterator
from datetime import UTC, datetime
from io import BytesIO
from typing import Any

from django.db.models import OuterRef, QuerySet, Subquery
from django.db.models.functions import Coalesce
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from import_export import fields, resources, widgets
from import_export.formats import base_formats
from openpyxl import Workbook
from openpyxl.cell import WriteOnlyCell
from tablib import Dataset

from admin_ext.cells import csv_cell, xlsx_cell
from upload.models import InProgressSubmission, Submission, UploadSession


class Instant(widgets.Widget):
    """Renders a time as ISO 8601 in UTC, to the second."""

    def render(self, value: datetime | None, obj: Any = None, **kwargs: Any) -> str:
        if value is None:
            return ""
        return value.astimezone(UTC).isoformat(timespec="seconds")


class Number(widgets.Widget):
    """Keeps a number a number, so that sheets can add it up."""

    def render(self, value: Any, obj: Any = None, **kwargs: Any) -> Any:
        return value


class Text(widgets.Widget):
    def render(self, value: Any, obj: Any = None, **kwargs: Any) -> str:
        return "" if value is None else str(value)


def report_field(attribute: str, name: Any, widget: type[widgets.Widget]) -> Any:
    """Return a column that is only written; the header stands as it is."""
    return fields.Field(
        attribute=attribute, column_name=name, widget=widget(), readonly=True
    )


class SessionResource(resources.ModelResource):
    """One row a session. Works on any queryset of sessions; adds what it needs."""

    uuid = report_field("uuid", gettext_lazy("UUID"), Text)
    status = report_field("get_status_display", gettext_lazy("Status"), Text)
    owner = report_field("user__username", gettext_lazy("Owner"), Text)
    started = report_field("started_at", gettext_lazy("Started (UTC)"), Instant)
    last_interaction = report_field(
        "last_upload_interaction_time", gettext_lazy("Last interaction (UTC)"), Instant
    )
    expires = report_field("expires_at", gettext_lazy("Expires (UTC)"), Instant)
    files = report_field("total_files", gettext_lazy("Files"), Number)
    size_bytes = report_field("total_size_bytes", gettext_lazy("Size (bytes)"), Number)
    submission_title = report_field(
        "submission_title", gettext_lazy("Submission title"), Text
    )
    accession_number = report_field(
        "accession_number", gettext_lazy("Accession number"), Text
    )

    class Meta:
        model = UploadSession
        fields = (
            "uuid",
            "status",
            "owner",
            "started",
            "last_interaction",
            "expires",
            "files",
            "size_bytes",
            "submission_title",
            "accession_number",
        )
        export_order = fields
        chunk_size = 500

    def filter_export(
        self, queryset: QuerySet[UploadSession], **kwargs: Any
    ) -> QuerySet[UploadSession]:
        """Add owner and submission; without a submission the draft's title stands."""
        finished = _about_session(Submission.objects)
        drafts = _about_session(InProgressSubmission.objects)
        return (
            queryset.prefetch_related(None)
            .select_related("user")
            .annotate(
                submission_title=Coalesce(
                    Subquery(finished.values("title")[:1]),
                    Subquery(drafts.values("title")[:1]),
                ),
                accession_number=Subquery(finished.values("accession_number")[:1]),
            )
        )


def _about_session(rows: Any) -> Any:
    return rows.filter(upload_session=OuterRef("pk")).order_by("pk")


class Csv(base_formats.CSV):
    """CSV as RFC 4180 has it, in UTF-8 with a mark so that Excel reads it as such."""

    def export_data(self, dataset: Dataset, **kwargs: Any) -> str:
        safe = Dataset(headers=[csv_cell(name) for name in dataset.headers])
        safe.extend([csv_cell(value) for value in row] for row in dataset)
        text: str = safe.export("csv")
        return text


class Xlsx(base_formats.XLSX):
    """XLSX whose texts are of the type string, whatever they begin with."""

    def export_data(self, dataset: Dataset, **kwargs: Any) -> bytes:
        book = Workbook(write_only=True)
        sheet = book.create_sheet(_("Upload sessions"))
        for row in [dataset.headers, *dataset]:
            sheet.append(list(_string_cells(sheet, row)))
        file = BytesIO()
        book.save(file)
        return file.getvalue()


def _string_cells(sheet: Any, row: Any) -> Iterator[Any]:
    for value in row:
        cell = WriteOnlyCell(sheet, xlsx_cell(value))
        if isinstance(value, str):
            cell.data_type = "s"
        yield cell
