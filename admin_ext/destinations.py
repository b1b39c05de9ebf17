"""Destinations: set up and probed by whoever has Django's permissions for them.

Hosts and secrets stand in the settings; a row and its page name an alias. A probe
writes to the destination, so it is a POST and needs the right to change.
"""

from collections.abc import Iterable
from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.admin import ModelAdmin
from unfold.widgets import UnfoldAdminSelectWidget

from admin_ext import columns
from admin_ext.visible import visible
from upload import conf
from upload.models import Destination
from upload.probe import probe

STEPS = {
    "check": gettext_lazy("Check"),
    "write": gettext_lazy("Write"),
    "read": gettext_lazy("Read back"),
    "list": gettext_lazy("List"),
    "delete": gettext_lazy("Delete"),
}
CAPABILITIES = {
    "refuses_to_replace": gettext_lazy("Refuses by itself to replace a file"),
    "stages": gettext_lazy("No file has its name before it is whole"),
    "syncs": gettext_lazy("What was acknowledged survives a power cut"),
}


@admin.register(Destination)
class DestinationAdmin(ModelAdmin):
    """The model refuses a place that could not be written to, when it is saved."""

    list_display = ("name", "place", "layout", "enabled", "state", "last_probed")
    list_filter = ("enabled", "layout")
    search_fields = ("name", "folder", "alias")
    fields = ("name", "folder", "alias", "layout", "enabled", "uuid", "created_at")
    readonly_fields = ("uuid", "created_at")
    warn_unsaved_form = True
    actions = ("probe_destinations",)
    change_form_outer_before_template = "admin_ext/destination_probe.html"

    @admin.display(description=gettext_lazy("Place"), ordering="folder")
    def place(self, destination: Destination) -> str:
        return visible(destination.root)

    @admin.display(description=gettext_lazy("Last probe"))
    def state(self, destination: Destination) -> SafeString | None:
        return state_badge(destination)

    @admin.display(description=gettext_lazy("Probed"), ordering="last_probed_at")
    def last_probed(self, destination: Destination) -> SafeString | None:
        at = destination.last_probed_at
        return columns.moment(at) if at else None

    @admin.action(
        description=gettext_lazy("Probe the selected destinations"),
        permissions=["change"],
    )
    def probe_destinations(
        self, request: HttpRequest, queryset: Iterable[Destination]
    ) -> None:
        for destination in queryset:
            tell(request, destination, probe(destination))

    def formfield_for_dbfield(
        self, db_field: Any, request: HttpRequest, **kwargs: Any
    ) -> Any:
        if db_field.name == "alias":
            choices = [("", "-"), *((name, name) for name in conf.destinations())]
            kwargs["widget"] = UnfoldAdminSelectWidget(choices=choices)
            kwargs["help_text"] = alias_help()
        if db_field.name == "folder":
            kwargs["help_text"] = folder_help()
        return super().formfield_for_dbfield(db_field, request, **kwargs)

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(self.probe_view)
        return [
            path("<int:pk>/probe/", view, name="upload_destination_probe"),
            *super().get_urls(),
        ]

    def probe_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Probe one destination by POST, and go back to its page."""
        if request.method != "POST":
            return HttpResponse(status=405, headers={"Allow": "POST"})
        destination: Destination | None = self.get_object(request, str(pk))
        if not self.has_change_permission(request, destination):
            raise PermissionDenied
        if destination is None:
            raise Http404
        tell(request, destination, probe(destination))
        return redirect(reverse("admin:upload_destination_change", args=[pk]))

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any
    ) -> HttpResponse:
        if destination := kwargs.get("obj"):
            context |= page_context(destination)
            context["may_probe"] = self.has_change_permission(request, destination)
        return super().render_change_form(request, context, *args, **kwargs)


def folder_help() -> str:
    """Return below which folders a destination's folder may lie."""
    if not (roots := conf.destination_roots()):
        return _("No folder is allowed: DESTINATION_ROOTS is empty.")
    return format_html(_("An absolute path below one of: {}."), _listed(roots))


def alias_help() -> str:
    """Return which aliases the settings name; never what stands behind them."""
    if not (names := conf.destinations()):
        return _("The settings name no alias: DESTINATIONS is empty.")
    named = _("In place of a folder, a destination that the settings name: {}.")
    return format_html(named, _listed(names))


def _listed(words: Iterable[Any]) -> SafeString:
    return format_html_join(", ", "<code>{}</code>", ((str(w),) for w in words))


def page_context(destination: Destination) -> dict[str, Any]:
    found = destination.last_probe
    steps = found.get("steps_ms", {})
    known = found.get("capabilities", {})
    return {
        "probed": destination,
        "probe": found,
        "state_badge": state_badge(destination),
        "steps": [
            (label, steps[name]) for name, label in STEPS.items() if name in steps
        ],
        "capabilities": [
            (label, known[name])
            for name, label in CAPABILITIES.items()
            if name in known
        ],
    }


def state_badge(destination: Destination) -> SafeString | None:
    if destination.last_probed_at is None:
        return None
    if destination.last_probe["ok"]:
        return columns.badge(_("takes copies"), "success")
    return columns.badge(_("takes no copies"), "danger")


def tell(request: HttpRequest, destination: Destination, found: dict[str, Any]) -> None:
    if found["ok"]:
        told = _("%(name)s takes copies; it answered within %(latency)s ms.")
        facts = {"name": destination.name, "latency": found["latency_ms"]}
        messages.success(request, told % facts)
    else:
        told = _("%(name)s takes no copies now: %(error)s")
        facts = {"name": destination.name, "error": found["error"]}
        messages.error(request, told % facts)
