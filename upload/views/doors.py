"""Who stands at the door: method, sign-in, visibility, and errors as JSON.

Views of the JSON endpoints are made here from one function a method. Refusals are
answered before a body is read, and CSRF is asked of everybody who came by a cookie.
"""

import hmac
from collections.abc import Callable
from functools import wraps
from typing import Any
from uuid import UUID

from django.contrib.auth import get_user_model
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.utils.translation import gettext as _
from django.views.decorators.csrf import csrf_exempt, csrf_protect

from upload import answers, policy
from upload.errors import NotFound, NotSignedIn
from upload.intake import Sender
from upload.models import UploadSession
from upload.plain_sql import find_row
from upload.states import Verb

type View = Callable[..., HttpResponse]

BEARER = "bearer "
NO_TOKEN = "-" * 32
BY_TOKEN = "session token"  # noqa: S105  a door, not a secret


def endpoint(**views: View) -> View:
    """Return a JSON view with one function a method, for example ``GET=…``."""

    @csrf_exempt
    @wraps(next(iter(views.values())))
    def view(request: HttpRequest, **kwargs: Any) -> HttpResponse:
        method = request.method or ""
        if method == "HEAD" and method not in views:
            method = "GET"
        chosen = views.get(method)
        if chosen is None:
            return _wrong_method(sorted(views))
        try:
            return answers.private(chosen(request, **kwargs))
        except answers.KNOWN as error:
            return answers.private(answers.refusal(request, error))

    return view


def _wrong_method(allowed: list[str]) -> HttpResponse:
    told = {
        "code": "method_not_allowed",
        "error": _("This address does not know that method."),
        "hint": _("Known methods: %(allowed)s.") % {"allowed": ", ".join(allowed)},
    }
    return JsonResponse(told, status=405, headers={"Allow": ", ".join(allowed)})


def protected(view: View, request: HttpRequest, **kwargs: Any) -> HttpResponse:
    """Run ``view`` if the request passes Django's CSRF check."""
    return csrf_protect(view)(request, **kwargs)


def require_person(request: HttpRequest) -> Any:
    """Return the signed-in user; raise ``NotSignedIn``."""
    if not request.user.is_authenticated:
        raise NotSignedIn(_("Nobody is signed in."))
    return request.user


def visible_session(user: Any, uuid: UUID) -> UploadSession:
    """Return a session that the user may see; others are as good as missing."""
    found = UploadSession.objects.visible_to(user).select_related("user")
    session = found.filter(uuid=uuid).first()
    if session is None:
        raise NotFound(_("There is no such session, or it is not yours to see."))
    return session


def sender_and_session(
    request: HttpRequest, uuid: UUID
) -> tuple[Sender, UploadSession]:
    """Return who sends into which session: by its token, or by a signed-in person."""
    header = request.headers.get("Authorization", "")
    if header.lower().startswith(BEARER):
        token = header[len(BEARER) :].strip()
        return Sender(None, BY_TOKEN), _session_of_token(uuid, token)
    user = require_person(request)
    return Sender(user), visible_session(user, uuid)


def _session_of_token(uuid: UUID, token: str) -> UploadSession:
    """Return the session whose token it is; the same error whatever is wrong.

    A token lends its owner's right: it opens nothing once the owner has lost it.
    """
    session = find_row(UploadSession, uuid=uuid)
    expected = session.token if session else NO_TOKEN
    same = hmac.compare_digest(token.encode(), expected.encode())
    if not (same and session and _owner_may_send(session)):
        raise NotSignedIn(_("The token does not open this session."))
    return session


def _owner_may_send(session: UploadSession) -> bool:
    if session.user_id is not None:
        session.user = find_row(get_user_model(), id=session.user_id)
    return policy.has_right(session.user, Verb.UPLOAD, session)
