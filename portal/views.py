"""Pages of the portal itself: the start, its language, its health for machines."""

import logging

from django.conf import settings
from django.db import DatabaseError, connection
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect
from django.utils.module_loading import import_string
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe
from django.views.i18n import set_language

from portal.language import is_offered

logger = logging.getLogger(__name__)

COME_BACK = {"Retry-After": "5"}


@never_cache
@require_safe
def home(request: HttpRequest) -> HttpResponse:
    """Lead staff to the admin, others to their sessions, by way of signing in."""
    if not request.user.is_authenticated:
        return redirect("login")
    return redirect("admin:index" if request.user.is_staff else "upload:own_sessions")


@require_POST
def choose_language(request: HttpRequest) -> HttpResponse:
    """Keep the language in a cookie and, of who is signed in, on the person as well."""
    chosen = request.POST.get("language", "")
    if request.user.is_authenticated and is_offered(chosen):
        request.user.language = chosen
        request.user.save(update_fields=["language"])
    return set_language(request)


@never_cache
@require_safe
def health(request: HttpRequest) -> HttpResponse:
    """Answer 200 where the database answers, otherwise 503, and how the parts are."""
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    except DatabaseError:
        logger.exception("The health page got no answer from the database.")
        return JsonResponse({"status": "unavailable"}, status=503, headers=COME_BACK)
    return JsonResponse({"status": "ok"} | _parts())


def _parts() -> dict[str, str]:
    """Return how the parts are that are switched on; without one the portal goes on."""
    told = {name: import_string(ask)() for name, ask in settings.HEALTH_PARTS.items()}
    return {name: state for name, state in told.items() if state != "off"}
