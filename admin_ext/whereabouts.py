"""Where permanent files' bytes are: a column, a card, and asking for the transfer."""

from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import URLPattern, path, reverse
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from admin_ext import columns
from admin_ext.read_only import SessionRowsAdmin
from upload import transfers
from upload.errors import NotPermitted, SourceMissing
from upload.models import PermUploadedFile
from upload.queued_storage.models import FileState
from upload.transfers import Whereabouts

KINDS: dict[str, str] = {
    FileState.LOCAL: "",
    FileState.DUE: "info",
    FileState.SENDING: "primary",
    FileState.BOTH: "success",
    FileState.REMOTE: "success",
    FileState.FAILED: "danger",
    FileState.DELETING: "warning",
}


def badge(place: Whereabouts) -> SafeString:
    return columns.badge(str(place.state.label), KINDS[place.state])


@admin.display(description=gettext_lazy("Bytes"))
def place(file: PermUploadedFile) -> SafeString | None:
    """Return where the bytes are; the list has looked it up for all its rows."""
    known: Whereabouts | None = getattr(file, "whereabouts", None)
    return None if known is None else badge(known)


class WhereaboutsAdmin(SessionRowsAdmin):
    """To be mixed into the admin of permanent files."""

    change_form_outer_before_template = "admin_ext/whereabouts.html"

    def get_list_display(self, request: HttpRequest) -> Any:
        shown = super().get_list_display(request)
        return (*shown, place) if transfers.are_told() else shown

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> Any:
        base: Any = super().get_changelist(request, **kwargs)

        class WithWhereabouts(base):
            def get_results(self, request: HttpRequest) -> None:
                super().get_results(request)
                attach(self.result_list)

        return WithWhereabouts

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(self.transfer_view)
        return [
            path("<int:pk>/transfer/", view, name="upload_permuploadedfile_transfer"),
            *super().get_urls(),
        ]

    def transfer_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Have one file transferred, by POST, and go back to its page."""
        if request.method != "POST":
            return HttpResponse(status=405, headers={"Allow": "POST"})
        if not self.has_view_permission(request):
            raise PermissionDenied
        file = self.get_object(request, str(pk))
        if file is None or not file.file_upload or not transfers.are_told():
            raise Http404
        tell(request, file)
        return redirect(reverse("admin:upload_permuploadedfile_change", args=[pk]))

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any
    ) -> HttpResponse:
        file = kwargs.get("obj")
        if file and file.file_upload and transfers.are_told():
            known = transfers.of_files([file])[file.pk]
            context |= {
                "placed_file": file,
                "whereabouts": known,
                "whereabouts_badge": badge(known),
                "may_transfer": known.may_be_asked_for
                and transfers.may_ask(request.user, file),
            }
        return super().render_change_form(request, context, *args, **kwargs)


def attach(files: Any) -> None:
    """Look up the whereabouts of a page's files by one query."""
    if transfers.are_told():
        found = transfers.of_files(files)
        for file in files:
            file.whereabouts = found.get(file.pk)


def tell(request: HttpRequest, file: PermUploadedFile) -> None:
    """Ask for the transfer and say what comes of it."""
    try:
        known = transfers.ask(file, request.user)
    except NotPermitted as error:
        raise PermissionDenied from error
    except SourceMissing as error:
        messages.error(request, str(error))
        return
    if known.may_be_asked_for:
        told = _("“%(name)s” will be transferred now.")
    else:
        told = _("“%(name)s” is on its way or was transferred already.")
    messages.success(request, told % {"name": file.name})
