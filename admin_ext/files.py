"""Temporary and permanent files: lists and pages to look at, never to change."""

from typing import Any

from django.contrib import admin
from django.db.models import Q
from django.utils.html import format_html
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from admin_ext import columns, inlines
from admin_ext.links import page_link, session_link
from admin_ext.read_only import SessionRowsAdmin
from admin_ext.visible import visible
from admin_ext.whereabouts import WhereaboutsAdmin
from upload import quantities
from upload.models import BaseUploadedFile, PermUploadedFile, TempUploadedFile
from upload.session_search import uuid_prefix

SHARED_FIELDS = (
    "uuid",
    "shown_name",
    "shown_original_name",
    "shown_relative_path",
    "session_link",
    "size_text",
    "sha256",
    "content_type",
    "received_at",
    "received_by",
    "bytes_exist",
    "access_url",
    "media_url",
)


class FileAdmin(SessionRowsAdmin):
    """The storage is asked on a file's own page only, never in the list."""

    list_display: tuple[Any, ...] = (
        "shown_name",
        "session_link",
        "size_text",
        "content_type",
        "received",
    )
    list_select_related = ("session",)
    ordering = ("-pk",)
    session_uuid_field = "session__uuid"
    search_words = ("name__icontains",)
    fields: tuple[str, ...] = SHARED_FIELDS

    def matching(self, phrase: str) -> Q:
        return super().matching(phrase) | uuid_prefix("uuid", phrase)

    @admin.display(description=gettext_lazy("Name"))
    def shown_name(self, file: BaseUploadedFile) -> str:
        return visible(file.name)

    @admin.display(description=gettext_lazy("Original name"), empty_value="-")
    def shown_original_name(self, file: BaseUploadedFile) -> str:
        return visible(file.original_name)

    @admin.display(description=gettext_lazy("Folder path"), empty_value="-")
    def shown_relative_path(self, file: BaseUploadedFile) -> str:
        return visible(file.relative_path)

    @admin.display(description=gettext_lazy("Session"))
    def session_link(self, file: BaseUploadedFile) -> str:
        return session_link(file.session_id, file.session.uuid)

    @admin.display(description=gettext_lazy("Size"), ordering="size")
    def size_text(self, file: BaseUploadedFile) -> str:
        return quantities.size_text(file.size)

    @admin.display(description=gettext_lazy("Received"), ordering="received_at")
    def received(self, file: BaseUploadedFile) -> str:
        return columns.moment(file.received_at)

    @admin.display(description=gettext_lazy("Exists"))
    def bytes_exist(self, file: BaseUploadedFile) -> str:
        answer = inlines.is_there(file)
        if answer is None:
            return _("unknown: the storage did not answer")
        return _("yes") if answer else _("missing")

    @admin.display(description=gettext_lazy("Access URL"))
    def access_url(self, file: BaseUploadedFile) -> str:
        url = file.get_file_access_url()
        return page_link(url, url)

    @admin.display(description=gettext_lazy("Media URL"), empty_value="-")
    def media_url(self, file: BaseUploadedFile) -> str | None:
        url = inlines.media_url(file) if inlines.is_there(file) else ""
        return page_link(url, url) if url else None


@admin.register(TempUploadedFile)
class TempFileAdmin(FileAdmin):
    pass


@admin.register(PermUploadedFile)
class PermFileAdmin(WhereaboutsAdmin, FileAdmin):
    list_display = (*FileAdmin.list_display, "verified")
    fields = (*SHARED_FIELDS, "stored_at", "verified")

    @admin.display(
        description=gettext_lazy("Last verified"),
        ordering="last_verified_at",
        empty_value="-",
    )
    def verified(self, file: PermUploadedFile) -> str | None:
        """Tell the last check, and beside it that it found the file damaged."""
        at = file.last_verified_at
        shown = columns.moment(at) if at else None
        if not file.fixity_failed_at:
            return shown
        found = columns.badge(_("damaged"), "danger")
        return format_html("{} {}", shown or "", found)
