"""The language of each person's pages.

What is kept on the person wins; otherwise ``LocaleMiddleware`` has already taken the
cookie of the language chooser or what the browser asks for.
"""

from collections.abc import Callable

from django.conf import settings
from django.db import DatabaseError
from django.http import HttpRequest, HttpResponse
from django.utils import translation

type View = Callable[[HttpRequest], HttpResponse]


def choices() -> list[tuple[str, str]]:
    """Return each language's code and its name in that language, for a field."""
    return [
        (code, translation.get_language_info(code)["name_local"].capitalize())
        for code, _ in settings.LANGUAGES
    ]


def is_offered(language: str) -> bool:
    return language in dict(settings.LANGUAGES)


def language_of_person(get_response: View) -> View:
    """Activate the signed-in person's language; stands after the authentication."""

    def middleware(request: HttpRequest) -> HttpResponse:
        if is_offered(language := _kept(request)):
            translation.activate(language)
            request.LANGUAGE_CODE = language
        return get_response(request)

    return middleware


def _kept(request: HttpRequest) -> str:
    try:
        return getattr(request.user, "language", "")
    except DatabaseError:
        # The view meets it as well, and knows how to answer.
        return ""
