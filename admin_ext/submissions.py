"""Submissions and drafts: what a session's files are, in words."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from unfold.admin import ModelAdmin

from admin_ext import holds
from upload.models import InProgressSubmission, Submission, UploadSession


class DescriptionAdmin(ModelAdmin):
    """Who adds a row is its person; sessions to choose are those one may see."""

    autocomplete_fields = ("upload_session",)
    list_select_related = ("user", "upload_session")
    list_per_page = 50
    warn_unsaved_form = True

    def save_model(
        self, request: HttpRequest, obj: Any, form: Any, change: Any
    ) -> None:
        if not change and obj.user is None:
            obj.user = request.user
        super().save_model(request, obj, form, change)

    def formfield_for_foreignkey(
        self, db_field: Any, request: HttpRequest, **kwargs: Any
    ) -> Any:
        if db_field.name == "upload_session":
            kwargs["queryset"] = UploadSession.objects.visible_to(request.user)
        return super().formfield_for_foreignkey(db_field, request, **kwargs)


@admin.register(Submission)
class SubmissionAdmin(DescriptionAdmin):
    """A held submission keeps its session; its page says so and why."""

    change_form_template = "admin_ext/submission_page.html"
    list_display = ("title", "accession_number", "source", "user", "submitted_at")
    search_fields = ("title", "accession_number", "source")
    fields = (
        "accession_number",
        "title",
        "source",
        "extent",
        "upload_session",
        "user",
        "submitted_at",
        "uuid",
    )
    readonly_fields = ("user", "submitted_at", "uuid")

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        if holds.is_held(obj):
            return (*self.readonly_fields, "upload_session")
        return self.readonly_fields

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any
    ) -> HttpResponse:
        if submission := kwargs.get("obj"):
            context |= holds.of_submission(request, submission)
        return super().render_change_form(request, context, *args, **kwargs)


@admin.register(InProgressSubmission)
class InProgressSubmissionAdmin(DescriptionAdmin):
    list_display = ("title", "source", "user", "last_updated")
    search_fields = ("title", "source")
    fields = (
        "title",
        "source",
        "extent",
        "upload_session",
        "user",
        "last_updated",
        "uuid",
    )
    readonly_fields = ("user", "last_updated", "uuid")
