"""Texts that can be told again in another language: each keeps what it was made of.

``gettext``, ``pgettext`` and ``ngettext`` stand in for Django's where a text may be
kept on a row: a worker does not know in which language it will be read. What others
wrote, an operating system for one, stays as it is.
"""

from collections.abc import Iterable
from typing import Any

from django.utils import translation
from django.utils.functional import Promise

# What a text is made of, as JSON: a text of others, a number, ``{"msgid": …}`` with
# "context", "plural" and "number" or "values", ``{"parts": […], "between": …}`` or
# ``{"bare": …}``.
type Made = Any

STOPS = ".。"
# What telling a text again raises where it does not fit the catalogue or the code.
UNTOLD = (AttributeError, LookupError, TypeError, ValueError)


class Told(str):
    """A text in the language of whoever made it, and what it was made of."""

    made_of: Made

    def __new__(cls, text: str, made_of: Made) -> "Told":
        told = super().__new__(cls, text)
        told.made_of = made_of
        return told

    def __getnewargs__(self) -> tuple[Any, ...]:
        return str(self), self.made_of

    def __mod__(self, values: Any) -> "Told":
        kept = {name: made_of(value) for name, value in values.items()}
        return Told(super().__mod__(values), self.made_of | {"values": kept})


def gettext(msgid: str) -> Told:
    return Told(translation.gettext(msgid), {"msgid": msgid})


def pgettext(context: str, msgid: str) -> Told:
    made = {"msgid": msgid, "context": context}
    return Told(translation.pgettext(context, msgid), made)


def ngettext(singular: str, plural: str, number: int) -> Told:
    text = translation.ngettext(singular, plural, number)
    return Told(text, {"msgid": singular, "plural": plural, "number": number})


def label(lazy: Any) -> Told:
    """Return the text of a lazy translation, to be told again."""
    return Told(str(lazy), made_of(lazy))


def joined(parts: Iterable[Any], between: str = "") -> Told:
    """Return the texts as one."""
    found = list(parts)
    made = {"parts": [made_of(part) for part in found], "between": between}
    return Told(between.join(map(str, found)), made)


def bare(text: str) -> str:
    """Return the text without its full stop, to stand within a sentence."""
    stripped, made = text.rstrip(STOPS), kept_of(text)
    return kept(stripped, {"bare": made} if made else None)


def of_error(error: BaseException) -> str:
    """Return the message of an error, which ``str`` would make a plain text."""
    told = error.args[0] if len(error.args) == 1 else ""
    same = isinstance(told, Told) and told == str(error)
    return told if same else str(error)


def noted(error: BaseException | None) -> dict[str, Any]:
    """Return what a row keeps of an error: its text, what that is made of, its code."""
    if error is None:
        return {"error": "", "error_told": None, "error_code": ""}
    name = type(error).__name__
    text = of_error(error) or name
    told = {"error": text, "error_told": kept_of(text)}
    return told | {"error_code": getattr(error, "code", name)}


def kept(text: str, made: Made) -> str:
    """Return a text as it was before it went to a row with what it was made of."""
    return Told(text, made) if made else text


def kept_of(text: str) -> Made:
    """Return what a row keeps beside the text; None where it is others' text."""
    return text.made_of if isinstance(text, Told) else None


def made_of(value: Any) -> Made:
    """Return what a text, or a value in one, is made of."""
    if isinstance(value, Told):
        return value.made_of
    if isinstance(value, Promise):
        return _made_of_lazy(value)
    return value if isinstance(value, int | float) else str(value)


def _made_of_lazy(lazy: Promise) -> Made:
    """Return the msgid, and the context, which only what a pickle is made of tells."""
    _unpickle, (make, args, *_more) = lazy.__reduce__()  # type: ignore[misc]
    if make is translation.pgettext:
        return dict(zip(("context", "msgid"), args, strict=True))
    with translation.override(None):
        return {"msgid": str(lazy)}


def shown(text: str, made: Made) -> str:
    """Return a text from a row in the language of now, or as it was written."""
    try:
        return str(told_again(made or text))
    except UNTOLD:  # another version of the portal made it
        return text


def told_again(made: Made) -> Any:
    """Return the text in the language of now; numbers and others' texts as they are."""
    if not isinstance(made, dict):
        return made
    if "parts" in made:
        return made["between"].join(str(told_again(part)) for part in made["parts"])
    if "bare" in made:
        return str(told_again(made["bare"])).rstrip(STOPS)
    if "plural" in made:
        text = translation.ngettext(made["msgid"], made["plural"], made["number"])
    elif "context" in made:
        text = translation.pgettext(made["context"], made["msgid"])
    else:
        text = translation.gettext(made["msgid"])
    values = {name: told_again(v) for name, v in made.get("values", {}).items()}
    return text % values if values else text
