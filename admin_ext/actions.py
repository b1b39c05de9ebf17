"""Do a verb to sessions: preview, confirm, do, report.

``preview_view`` is the one door: the list's bulk actions and the buttons of the session
page call it with a queryset. Nothing changes but by a POST with the confirm button, and
then for each session on its own: done, skipped with its reason, or failed.
"""

import logging
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from django.contrib import admin, messages
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from admin_ext import previews
from admin_ext.previews import Skip
from admin_ext.verbs import BULK_VERBS, BulkVerb
from upload import answers
from upload.errors import (
    DATABASE_ERRORS,
    IllegalTransition,
    MunimentError,
    NotPermitted,
    SessionBusy,
)
from upload.models import UploadSession
from upload.states import JobState, Verb

logger = logging.getLogger(__name__)

CONFIRM = "confirm"
TRY = "try"
# A message names so many sessions one by one; messages travel in a cookie.
MAX_NAMED = 10

type Sessions = QuerySet[UploadSession]


@dataclass(slots=True)
class Report:
    """What became of each session of one confirmed action."""

    done: int = 0
    waiting: int = 0
    missing: int = 0
    skipped: list[Skip] = field(default_factory=list)
    failed: list[Skip] = field(default_factory=list)


def preview_view(
    request: HttpRequest,
    verb: Verb,
    sessions: Sessions,
    back_url: str,
    *,
    missing: int = 0,
) -> HttpResponse:
    """Show what ``verb`` would do; do it where the request confirms by POST.

    The page posts to its own address. ``missing`` counts chosen sessions that are not
    in ``sessions``. Raise ``PermissionDenied`` without the verb's permission.
    """
    row = BULK_VERBS[verb]
    if not request.user.has_perm(row.permission):
        raise PermissionDenied
    confirmed = request.method == "POST" and CONFIRM in request.POST
    tried = request.method == "POST" and TRY in request.POST
    form = row.form(request.POST if confirmed or tried else None)
    if confirmed and form.is_valid():
        report = perform(row, request.user, sessions, form.cleaned_data)
        report.missing = missing
        tell(request, row, report)
        return HttpResponseRedirect(back_url)
    seen = previews.preview(request.user, verb, sessions, missing)
    more = {
        "form": form,
        "back_url": back_url,
        "dry_run": None,
        "notes": previews.notes(row.verb, seen),
        "try": TRY if row.can_be_tried else "",
    }
    if tried and form.is_valid():
        more["dry_run"] = previews.dry_run(seen, form.cleaned_data)
    return page(request, row, seen, more)


def page(
    request: HttpRequest, row: BulkVerb, seen: Any, more: dict[str, Any]
) -> HttpResponse:
    """Return the preview page; ``seen`` is a ``Preview`` or has the same names."""
    context = {
        **admin.site.each_context(request),
        "title": row.title,
        "opts": UploadSession._meta,
        "row": row,
        "seen": seen,
        "missing_text": missing_text(seen.missing),
        "confirm": CONFIRM,
        "checkbox_name": ACTION_CHECKBOX_NAME,
        **more,
    }
    return TemplateResponse(request, "admin_ext/action_preview.html", context)


def perform(
    row: BulkVerb, actor: Any, sessions: Iterable[UploadSession], data: dict[str, Any]
) -> Report:
    """Do the verb to each session that allows it now; one that fails stops no other."""
    report = Report()
    for session in sessions:
        if reason := previews.obstacle(actor, row.verb, session):
            report.skipped.append(Skip(session, reason))
            continue
        try:
            job = row.act(session, actor, data)
            if job is not None and job.state == JobState.AWAITING_APPROVAL:
                report.waiting += 1
            else:
                report.done += 1
        except (IllegalTransition, SessionBusy, NotPermitted) as error:
            report.skipped.append(Skip(session, str(error)))
        except (MunimentError, OSError) as error:
            logger.exception("%s: session %s failed.", row.action, session.uuid)
            report.failed.append(Skip(session, str(error)))
        except DATABASE_ERRORS as error:
            logger.exception("%s: session %s failed.", row.action, session.uuid)
            report.failed.append(Skip(session, answers.told(error)["error"]))
    return report


def tell(request: HttpRequest, row: BulkVerb, report: Report) -> None:
    """Leave one message for each kind of outcome, with its count."""
    if report.done:
        text = ngettext(
            "%(count)d session %(done)s.", "%(count)d sessions %(done)s.", report.done
        )
        messages.success(request, text % {"count": report.done, "done": row.done})
    if report.waiting:
        text = ngettext(
            "%(count)d removal waits until a second person approves it.",
            "%(count)d removals wait until a second person approves them.",
            report.waiting,
        )
        messages.success(request, text % {"count": report.waiting})
    _tell_each(request, messages.WARNING, _("skipped"), report.skipped)
    _tell_each(request, messages.ERROR, _("failed"), report.failed)
    if report.missing:
        messages.warning(request, missing_text(report.missing))
    if report == Report():
        messages.warning(request, _("No session was chosen, so nothing was done."))


def missing_text(count: int) -> str:
    return ngettext(
        "%(count)d chosen session does not exist any more or is not yours to see.",
        "%(count)d chosen sessions do not exist any more or are not yours to see.",
        count,
    ) % {"count": count}


def _tell_each(request: HttpRequest, level: int, word: str, skips: list[Skip]) -> None:
    if not skips:
        return
    named = " ".join(
        f"{reason} ({', '.join(str(session.uuid) for session in sessions)})"
        for reason, sessions in previews.by_reason(skips[:MAX_NAMED]).items()
    )
    head = ngettext(
        "%(count)d session %(outcome)s.", "%(count)d sessions %(outcome)s.", len(skips)
    ) % {"count": len(skips), "outcome": word}
    more = len(skips) - MAX_NAMED
    rest = _("And %(count)d more.") % {"count": more} if more > 0 else ""
    messages.add_message(request, level, f"{head} {named} {rest}".strip())
