"""Sidebar, environment label and assets of the admin, named in settings.UNFOLD.

Unfold imports each by its dotted path and calls it with the request. The sidebar shows
only what the person may open.
"""

from dataclasses import dataclass
from typing import Any

from django.apps import apps
from django.conf import settings
from django.contrib import admin
from django.http import HttpRequest
from django.templatetags.static import static
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from upload.models import Job

APPROVALS = "admin:upload_job_approvals"
MAX_COUNTED = 99


@dataclass(frozen=True, slots=True)
class Entry:
    """One link of the sidebar: the list of a model."""

    title: Any
    icon: str
    model: str  # for example "upload.Job"
    url_name: str = ""  # a page of the model's admin that is not its list


GROUPS: tuple[tuple[Any, tuple[Entry, ...]], ...] = (
    (
        _("Records"),
        (
            Entry(_("Upload sessions"), "inventory_2", "upload.UploadSession"),
            Entry(_("Submissions"), "assignment_turned_in", "upload.Submission"),
            Entry(_("Drafts"), "edit_note", "upload.InProgressSubmission"),
            Entry(_("Temporary files"), "draft", "upload.TempUploadedFile"),
            Entry(_("Permanent files"), "description", "upload.PermUploadedFile"),
        ),
    ),
    (
        _("Work"),
        (
            Entry(_("Jobs"), "progress_activity", "upload.Job"),
            Entry(_("Bulk orders"), "checklist", "upload.BulkOrder"),
            Entry(
                _("Removals to approve"),
                "approval_delegation",
                "upload.Job",
                APPROVALS,
            ),
            Entry(_("Destinations"), "drive_file_move", "upload.Destination"),
            Entry(_("Copies"), "file_copy", "upload.FileCopy"),
        ),
    ),
    (
        _("Evidence"),
        (
            Entry(_("Events"), "history", "upload.SessionEvent"),
            Entry(_("Legal holds"), "gavel", "upload.LegalHold"),
            Entry(
                _("Certificates of removal"),
                "workspace_premium",
                "upload.RemovalCertificate",
            ),
            Entry(_("Accesses"), "visibility", "upload.AccessLog"),
        ),
    ),
    (
        _("Administration"),
        (
            Entry(_("People"), "person", settings.AUTH_USER_MODEL),
            Entry(_("Roles"), "group", "auth.Group"),
            Entry(_("Queue health"), "monitor_heart", "upload.WorkerBeat"),
            Entry(_("Schedules"), "schedule", "django_q.Schedule"),
            Entry(_("Waiting tasks"), "hourglass", "django_q.OrmQ"),
            Entry(_("Done tasks"), "task_alt", "django_q.Success"),
            Entry(_("Failed tasks"), "error", "django_q.Failure"),
        ),
    ),
)


def sidebar(request: HttpRequest) -> list[dict[str, Any]]:
    """Return the groups that hold at least one link that the person may open."""
    groups = [
        {"title": title, "separator": True, "items": _items(request, entries)}
        for title, entries in GROUPS
    ]
    _mark_the_present([item for group in groups for item in group["items"]], request)
    return [group for group in groups if group["items"]]


def _mark_the_present(items: list[dict[str, Any]], request: HttpRequest) -> None:
    """Mark the entry that the page is below: of two the nearer one.

    Unfold would mark both: the removals to approve are below the jobs.
    """
    above = [item["link"] for item in items if request.path.startswith(item["link"])]
    nearest = max(above, key=len, default="")
    for item in items:
        item["active"] = item["link"] == nearest


def _items(request: HttpRequest, entries: tuple[Entry, ...]) -> list[dict[str, Any]]:
    return [_item(request, entry) for entry in entries if _may_open(request, entry)]


def _may_open(request: HttpRequest, entry: Entry) -> bool:
    model_admin = admin.site.get_model_admin(apps.get_model(entry.model))
    return bool(model_admin.has_view_or_change_permission(request))


def _item(request: HttpRequest, entry: Entry) -> dict[str, Any]:
    options = apps.get_model(entry.model)._meta
    listed = f"admin:{options.app_label}_{options.model_name}_changelist"
    link = reverse(entry.url_name or listed)
    item = {"title": entry.title, "icon": entry.icon, "link": link}
    if entry.url_name == APPROVALS and (count := awaiting_approval(request)):
        shown = f"{MAX_COUNTED}+" if count > MAX_COUNTED else count
        item |= {"badge": shown, "badge_variant": "warning"}
    return item


def awaiting_approval(request: HttpRequest) -> int:
    """Return how many removals wait for this person, counted to one above the most.

    Asked of the database only for who may approve, and of an index.
    """
    if not request.user.has_perm("upload.approve_removal_uploadsession"):
        return 0
    waiting = Job.objects.awaiting_decision_of(request.user).order_by()
    return len(waiting.values_list("pk")[: MAX_COUNTED + 1])


def environment(request: HttpRequest) -> list[str] | None:
    """Return the label beside the title and its kind; None where it has none."""
    if settings.ENVIRONMENT_LABEL:
        return [settings.ENVIRONMENT_LABEL, "warning"]
    return None


def stylesheet(request: HttpRequest) -> str:
    return static("admin_ext/pages.css")


def favicon(request: HttpRequest) -> str:
    return static("upload/favicon.svg")


def live_script(request: HttpRequest) -> str:
    return static("admin_ext/live.js")


def renew_script(request: HttpRequest) -> str:
    return static("admin_ext/renew.js")


def copy_script(request: HttpRequest) -> str:
    return static("admin_ext/copy.js")


def names_script(request: HttpRequest) -> str:
    return static("admin_ext/names.js")
