"""Views that are only posted to, by people who are signed in."""

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.contrib import messages
from django.contrib.auth.views import redirect_to_login
from django.http import HttpRequest, HttpResponse
from django.shortcuts import resolve_url
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

type View = Callable[..., HttpResponse]


def posting(back: str) -> Callable[[View], View]:
    """Return a decorator; who is not signed in is shown ``back`` after signing in.

    ``back`` is the name of a page that takes the view's own arguments: the address that
    was posted to has nothing to show.
    """

    def decorate(view: View) -> View:
        @require_POST
        @wraps(view)
        def posted(request: HttpRequest, **given: Any) -> HttpResponse:
            if request.user.is_authenticated:
                return view(request, **given)
            messages.warning(
                request, _("You had been signed out, so nothing was done. Try again.")
            )
            return redirect_to_login(resolve_url(back, **given))

        return posted

    return decorate
