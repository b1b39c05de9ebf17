"""Submissions and drafts: what a session's files are, in words."""

from typing import Any

from django.contrib import admin, messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _
from unfold.admin import ModelAdmin
from unfold.decorators import action

from admin_ext import holds
from admin_ext.links import session_link
from upload import submitting
from upload.errors import MunimentError
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
    list_display = (
        "title",
        "accession_number",
        "source",
        "session_link",
        "user",
        "submitted_at",
    )
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

    @admin.display(description=_("Session"), empty_value="-")
    def session_link(self, submission: Submission) -> SafeString | None:
        session = submission.upload_session
        return session_link(session.pk, session.uuid) if session else None

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
    # By POST with the form, after what stands in it was saved.
    actions_submit_line = ("make_submission",)

    @action(description=_("Save and submit"), permissions=("submit",))
    def make_submission(self, request: Any, draft: Any) -> None:
        """Make the draft a submission; what is missing is told, and the draft stays."""
        try:
            request.submission_made = submitting.submit(draft, request.user)
        except MunimentError as error:
            request.submission_made = None
            messages.error(request, str(error))

    def has_submit_permission(
        self, request: HttpRequest, object_id: Any = None
    ) -> bool:
        return bool(request.user.has_perm("upload.add_submission"))

    def response_change(self, request: HttpRequest, obj: Any) -> HttpResponse:
        return _after_submitting(request, obj) or super().response_change(request, obj)

    def response_add(
        self, request: HttpRequest, obj: Any, post_url_continue: Any = None
    ) -> HttpResponse:
        done = _after_submitting(request, obj)
        return done or super().response_add(request, obj, post_url_continue)


def _after_submitting(request: HttpRequest, draft: Any) -> HttpResponse | None:
    """Go to the new submission, or stay at a draft that could not become one."""
    if not hasattr(request, "submission_made"):
        return None
    if request.submission_made is None:
        return redirect("admin:upload_inprogresssubmission_change", draft.pk)
    messages.success(request, _("The draft is a submission now."))
    return redirect("admin:upload_submission_change", request.submission_made.pk)
