"""Certificates of removal: their list, their page, and the two forms to take away.

Reads only. A certificate outlives the session, the files and the people it names.
"""

import json
from collections.abc import Iterator
from typing import Any

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.db.models import Q
from django.http import Http404, HttpRequest, HttpResponse, StreamingHttpResponse
from django.template.loader import render_to_string
from django.urls import URLPattern, path
from django.utils.decorators import method_decorator
from django.utils.html import format_html
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_safe

from admin_ext import columns, inlines
from admin_ext.links import session_link
from admin_ext.read_only import SessionRowsAdmin
from admin_ext.visible import visible
from upload import certificates, quantities
from upload.models import RemovalCertificate, RemovedFile
from upload.session_search import uuid_prefix

FILES_PER_PAGE = 100


@admin.register(RemovalCertificate)
class CertificateAdmin(SessionRowsAdmin):
    list_display = (
        "short_uuid",
        "session_link",
        "files",
        "size_text",
        "requested_by",
        "approved_by",
        "removed",
    )
    list_filter = ("created_at",)
    search_words = ("requested_by__iexact", "approved_by__iexact")
    ordering = ("-pk",)
    fields = ("uuid",)
    change_form_template = "admin_ext/certificate_page.html"

    def matching(self, phrase: str) -> Q:
        return super().matching(phrase) | uuid_prefix("uuid", phrase)

    @admin.display(description=_("Certificate"))
    def short_uuid(self, certificate: RemovalCertificate) -> str:
        return str(certificate.uuid)[:8]

    @admin.display(description=_("Session"))
    def session_link(self, certificate: RemovalCertificate) -> str:
        return session_link(certificate.session_id, certificate.session_uuid)

    @admin.display(description=_("Size"), ordering="size_bytes")
    def size_text(self, certificate: RemovalCertificate) -> str:
        return quantities.size_text(certificate.size_bytes)

    @admin.display(description=_("Removed"), ordering="pk")
    def removed(self, certificate: RemovalCertificate) -> str:
        return columns.moment(certificate.created_at)

    def get_urls(self) -> list[URLPattern]:
        wrap = self.admin_site.admin_view
        name = "upload_removalcertificate"
        return [
            path("<int:pk>/json/", wrap(self.json_view), name=f"{name}_json"),
            path("<int:pk>/print/", wrap(self.print_view), name=f"{name}_print"),
            *super().get_urls(),
        ]

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any
    ) -> HttpResponse:
        if certificate := kwargs.get("obj"):
            files = RemovedFile.objects.filter(job_uuid=certificate.job_uuid)
            page = inlines.page_of(
                request, files.order_by("pk"), "files", FILES_PER_PAGE
            )
            context |= {"certificate": certificate, "page": page}
        return super().render_change_form(request, context, *args, **kwargs)

    @method_decorator(require_safe)
    def json_view(self, request: HttpRequest, pk: int) -> StreamingHttpResponse:
        certificate = self._visible(request, pk)
        answer = StreamingHttpResponse(
            json_parts(certificate), content_type="application/json"
        )
        name = f"removal-{certificate.uuid}.json"
        answer.headers["Content-Disposition"] = f'attachment; filename="{name}"'
        return answer

    @method_decorator(require_safe)
    def print_view(self, request: HttpRequest, pk: int) -> StreamingHttpResponse:
        return StreamingHttpResponse(print_parts(self._visible(request, pk)))

    def _visible(self, request: HttpRequest, pk: int) -> RemovalCertificate:
        if not self.has_view_permission(request):
            raise PermissionDenied
        certificate: RemovalCertificate | None = self.get_object(request, str(pk))
        if certificate is None:
            raise Http404
        return certificate


def json_parts(certificate: RemovalCertificate) -> Iterator[str]:
    """Give the certificate as one JSON object, its files last, in pieces."""
    head = json.dumps(told(certificate), ensure_ascii=False, indent=2)
    yield head.removesuffix("\n}") + ',\n  "removed": [\n'
    between = ""
    for file in certificates.files_of(certificate):
        yield between + json.dumps(file_told(file), ensure_ascii=False)
        between = ",\n"
    yield "\n  ]\n}\n"


def told(certificate: RemovalCertificate) -> dict[str, Any]:
    """Return what JSON says of the removal as a whole; times are UTC."""
    return {
        "certificate": str(certificate.uuid),
        "session": str(certificate.session_uuid),
        "owner": certificate.owner_name,
        "submissions": certificate.submissions,
        "asked_by": certificate.requested_by,
        "asked_at": certificate.requested_at.isoformat(),
        "reason": certificate.reason,
        "approved_by": certificate.approved_by or None,
        "approved_at": certificate.approved_at and certificate.approved_at.isoformat(),
        "removed_at": certificate.created_at.isoformat(),
        "complete": certificate.complete,
        "files": certificate.files,
        "size_bytes": certificate.size_bytes,
        "list_sha256": certificate.digest,
        "list_line": "sha256  size_bytes  uuid  path LF, in the order below",
    }


def file_told(file: RemovedFile) -> dict[str, Any]:
    return {
        "uuid": str(file.file_uuid),
        "name": file.name,
        "path": file.path,
        "size_bytes": file.size_bytes,
        "sha256": file.sha256,
        "was_stored": file.was_stored,
        "removed_at": file.removed_at.isoformat(),
    }


def print_parts(certificate: RemovalCertificate) -> Iterator[str]:
    """Give a page of its own to print, in pieces: it may list many files."""
    page = render_to_string(
        "admin_ext/certificate_print.html", {"certificate": certificate}
    )
    head, tail = page.split("<!--files-->")
    yield head
    for file in certificates.files_of(certificate):
        yield format_html(
            "<tr><td>{}</td><td>{}</td><td><code>{}</code></td></tr>\n",
            visible(file.path),
            file.size_bytes,
            file.sha256,
        )
    yield tail
