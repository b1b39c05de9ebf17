"""A row of the session list, opened: its first files, fetched when it is opened.

The list itself carries only the place they come to, so that a page stays light.
"""

from itertools import islice
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.html import format_html
from django.utils.translation import gettext as _
from unfold.sections import BaseSection

from upload import policy
from upload.models import UploadSession

FILES_SHOWN = 10


class FirstFiles(BaseSection):
    """Where the files come to; no template, for the list has one a row."""

    def render(self) -> str:
        return format_html(
            '<div hx-get="{}" hx-trigger="intersect once" aria-live="polite">{}</div>',
            reverse("admin:upload_uploadsession_glance", args=[self.instance.pk]),
            _("Loading the files …"),
        )


def first_files(request: HttpRequest, session: UploadSession) -> HttpResponse:
    """Give the part of the page that lists the first files; asks no storage."""
    temporary, permanent = session.tempuploadedfile_set, session.permuploadedfile_set
    rows: Any = (
        (file, policy.may_download(request.user, session, stored=stored))
        for files, stored in ((temporary, False), (permanent, True))
        for file in files.order_by("pk")[:FILES_SHOWN]
    )
    shown = list(islice(rows, FILES_SHOWN))
    context = {
        "session": session,
        "rows": shown,
        "more": max(0, session.total_files - len(shown)),
    }
    return render(request, "admin_ext/glance.html", context)
