"""The evidence, to read: events of sessions, accesses to files, copies of files."""

import json
from typing import Any

from django.contrib import admin
from django.db.models import Q
from django.utils.html import format_html
from django.utils.translation import gettext_lazy as _

from admin_ext import columns
from admin_ext.event_words import event_reason, event_title, event_words
from admin_ext.evidence_export import AccessExport, EventExport
from admin_ext.links import session_link
from admin_ext.list_filters import filterset_list_filters
from admin_ext.read_only import SessionRowsAdmin
from admin_ext.templatetags.admin_pages import outcome_badge
from admin_ext.visible import visible
from upload import quantities
from upload.filters import AccessFilter
from upload.models import AccessLog, FileCopy, SessionEvent
from upload.session_search import uuid_prefix


class EvidenceAdmin(SessionRowsAdmin):
    ordering = ("-pk",)

    @admin.display(description=_("Session"))
    def session_link(self, row: Any) -> str:
        return session_link(row.session_id, row.session_uuid)

    @admin.display(description=_("When"), ordering="pk")
    def when(self, row: Any) -> str:
        return columns.moment(row.created_at)

    @admin.display(description=_("Name"))
    def shown_name(self, row: Any) -> str:
        return visible(row.name)


@admin.register(SessionEvent)
class SessionEventAdmin(EventExport, EvidenceAdmin):
    list_display = (
        "when",
        "words",
        "outcome_label",
        "session_link",
        "actor_name",
        "shown_reason",
    )
    list_filter = ("outcome", "created_at")
    list_select_related = ("job",)
    search_words = ("actor_name__iexact", "code__iexact")
    fields = (
        "created_at",
        "words",
        "audit_code",
        "premis_type",
        "outcome_label",
        "session_link",
        "session_uuid",
        "actor_name",
        "job",
        "attempt",
        "shown_reason",
        "shown_detail",
    )

    def get_object(self, *args: Any, **kwargs: Any) -> Any:
        """Return the event, called in titles what the list calls it."""
        event = super().get_object(*args, **kwargs)
        if event is not None:
            event.shown_as = event_title(event)
        return event

    @admin.display(description=_("Event"))
    def words(self, event: SessionEvent) -> str:
        return event_words(event.code)

    @admin.display(description=_("Audit code"))
    def audit_code(self, event: SessionEvent) -> str:
        return str(event.code)

    @admin.display(description=_("Outcome"))
    def outcome_label(self, event: SessionEvent) -> str:
        return outcome_badge(event)

    @admin.display(description=_("Reason"), empty_value="-")
    def shown_reason(self, event: SessionEvent) -> str:
        return visible(event_reason(event))

    @admin.display(description=_("Detail"))
    def shown_detail(self, event: SessionEvent) -> str:
        text = json.dumps(event.detail, indent=2, ensure_ascii=False, sort_keys=True)
        lines = "\n".join(visible(line) for line in text.split("\n"))
        return format_html('<pre class="mu-pre">{}</pre>', lines)


@admin.register(AccessLog)
class AccessLogAdmin(AccessExport, EvidenceAdmin):
    list_display = ("when", "user_name", "action", "shown_name", "session_link")
    list_filter = filterset_list_filters(AccessFilter)
    list_filter_submit = True
    search_words = ("user_name__iexact", "name__icontains")
    fields = (
        "created_at",
        "user_name",
        "action",
        "shown_name",
        "file_uuid",
        "session_uuid",
    )

    def matching(self, phrase: str) -> Q:
        return super().matching(phrase) | uuid_prefix("file_uuid", phrase)


@admin.register(FileCopy)
class FileCopyAdmin(EvidenceAdmin):
    list_display = (
        "shown_name",
        "session_link",
        "destination",
        "shown_place",
        "size_text",
        "verified",
    )
    list_select_related = ("destination",)
    list_filter = ("destination",)
    search_words = ("name__icontains",)
    fields = (
        "shown_name",
        "file_uuid",
        "session_uuid",
        "destination",
        "shown_place",
        "size_text",
        "sha256",
        "job",
        "verified_at",
    )

    def matching(self, phrase: str) -> Q:
        return super().matching(phrase) | uuid_prefix("file_uuid", phrase)

    @admin.display(description=_("Verified"), ordering="pk")
    def verified(self, copy: FileCopy) -> str:
        return columns.moment(copy.verified_at)

    @admin.display(description=_("Place"))
    def shown_place(self, copy: FileCopy) -> str:
        return visible(f"{copy.target_root}/{copy.target_key}")

    @admin.display(description=_("Size"), ordering="size_bytes")
    def size_text(self, copy: FileCopy) -> str:
        return quantities.size_text(copy.size_bytes)
