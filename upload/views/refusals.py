"""Refusals for people and for programs: a page or JSON, whichever was asked for."""

import sys
from collections.abc import Callable

from django.core.exceptions import SuspiciousOperation
from django.db import DataError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views import defaults

from upload import answers
from upload.errors import DATABASE_ERRORS, NotPermitted


def refused(request: HttpRequest, error: Exception) -> HttpResponse:
    """Answer an error that ``answers`` knows."""
    if answers.wants_json(request):
        return answers.refusal(request, error)
    answers.log_refusal(request, error)
    status = answers.status_of(error)
    context = answers.told(error) | {"status": status}
    page = render(request, "upload/refusal.html", context, status=status)
    return answers.with_retry(page)


class BusyDatabase:
    """Middleware: a view that the database failed is a 503, not an error of ours.

    A value in a query string that the database cannot hold, such as NUL, is a 400.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_exception(
        self, request: HttpRequest, error: Exception
    ) -> HttpResponse | None:
        if isinstance(error, DATABASE_ERRORS):
            return answers.private(refused(request, error))
        if isinstance(error, DataError) and request.method in {"GET", "HEAD"}:
            unreadable = SuspiciousOperation(str(error))
            return answers.private(refused(request, unreadable))
        return None


def server_error(request: HttpRequest) -> HttpResponse:
    """Answer what no view answered for; a middleware may lose the database as well."""
    error = sys.exception()
    if isinstance(error, DATABASE_ERRORS):
        return answers.private(refused(request, error))
    return defaults.server_error(request)


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    """Answer a request without a valid CSRF token; forms get a page."""
    error = NotPermitted(
        _("The request did not prove that it came from a page of this portal.")
    )
    error.code = "csrf_failed"
    error.hint = _("Allow cookies, reload the page and try again.")
    if "text/html" in request.headers.get("Accept", ""):
        return answers.private(refused(request, error))
    return answers.private(answers.refusal(request, error))
