"""``/files/<uuid>/`` and the storages' own URLs: permission each time, and logged."""

from collections.abc import Callable
from contextlib import ExitStack
from typing import Any
from uuid import UUID

from django.contrib.auth.views import redirect_to_login
from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_safe

from upload import access, answers, delivery
from upload.errors import NotSignedIn
from upload.views.refusals import refused

# Sent by us or nginx, or by the remote storage to which a signed URL leads.
OPENED = {200, 206, 302}


@require_safe
def uploaded_file(request: HttpRequest, uuid: UUID) -> HttpResponse:
    """Send the file of that uuid, temporary or permanent."""
    return _answer(request, lambda: access.find(request.user, uuid))


@require_safe
def media(request: HttpRequest, alias: str, key: str) -> HttpResponse:
    """Send the file under a storage key; the same rules as by its uuid."""
    return _answer(request, lambda: access.find_by_key(request.user, alias, key))


def _answer(request: HttpRequest, find: Callable[[], Any]) -> HttpResponse:
    if not request.user.is_authenticated:
        return answers.private(_ask_to_sign_in(request))
    try:
        return _send(request, find())
    except answers.KNOWN as error:
        return answers.private(refused(request, error))


def _ask_to_sign_in(request: HttpRequest) -> HttpResponse:
    if answers.wants_json(request):
        return answers.refusal(request, NotSignedIn("Nobody is signed in."))
    return redirect_to_login(request.get_full_path())


def _send(request: HttpRequest, file: Any) -> HttpResponse:
    access.require_bytes(file)
    alias = "uploaded" if access.is_stored(file) else "temp"
    with ExitStack() as stack:
        response = delivery.respond(request, file, alias)
        stack.callback(response.close)
        if request.method == "GET" and response.status_code in OPENED:
            shown = delivery.is_shown(request, file)
            access.log(request.user, file, "view" if shown else "download")
        stack.pop_all()  # the server closes what is sent
    return response
