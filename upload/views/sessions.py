"""``/upload-session/``: the sessions that the caller may see, and a new one."""

from typing import Any

from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.utils.translation import gettext as _

from upload import answers, intake, policy
from upload.errors import FilterRefused, NotPermitted
from upload.filters import SessionFilter, strict
from upload.models import UploadSession
from upload.views.doors import endpoint, protected, require_person

PAGE_SIZE = 50
MAX_PAGE_SIZE = 200
MAX_PAGE = 1_000_000


def _list(request: HttpRequest) -> HttpResponse:
    user = require_person(request)
    visible = UploadSession.objects.visible_to(user).select_related("user")
    sessions = strict(SessionFilter, request.GET, visible, ignore=("page", "page_size"))
    size = number_of(request, "page_size", PAGE_SIZE, MAX_PAGE_SIZE)
    return JsonResponse(_page(sessions, number_of(request, "page", 1, MAX_PAGE), size))


def number_of(request: HttpRequest, name: str, default: int, most: int) -> int:
    """Return a whole number of the query string; raise ``FilterRefused``."""
    text = request.GET.get(name, str(default))
    if text.isascii() and text.isdigit() and len(text) < 8 and 1 <= int(text) <= most:
        return int(text)
    problem = _("Write a whole number from 1 to %(most)d.") % {"most": most}
    raise FilterRefused({name: problem})


def _page(sessions: Any, number: int, size: int) -> dict[str, Any]:
    paginator = Paginator(sessions, size)
    start = (number - 1) * size
    rows = sessions[start : start + size]
    return {
        "count": paginator.count,
        "page": number,
        "pages": paginator.num_pages,
        "results": [answers.session_json(session) for session in rows],
    }


def open_own(request: HttpRequest) -> UploadSession:
    """Open a session for the signed-in user, within their limit."""
    user = require_person(request)
    intake.require_uploads_on()
    if not policy.may_open_session(user):
        raise NotPermitted(
            _("%(actor)s may not open upload sessions.") % {"actor": user}
        )
    return UploadSession.new_session(user, enforce_limit=True)


def _opened(request: HttpRequest) -> HttpResponse:
    told = answers.session_json(open_own(request))
    return JsonResponse(told, status=201, headers={"Location": told["files_url"]})


def _open(request: HttpRequest) -> HttpResponse:
    require_person(request)
    return protected(_opened, request)


sessions = endpoint(GET=_list, POST=_open)
