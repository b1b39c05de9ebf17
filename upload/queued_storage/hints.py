"""The cache as a hint and no more: look for this file in the local storage first.

A hint is never taken at its word: the local storage is asked whether the file is
there, and otherwise the row. A lost, old or forged hint costs one question.
"""

import re
from typing import Any

from django.core.cache import cache

LONGEST_PREFIX = 120
SECONDS = 3600
UNFIT = re.compile(r"[^\x21-\x7e]")


def key_of(prefix: str, storage_key: str, name_digest: str) -> str:
    """Return a key of at most 250 characters that every cache accepts."""
    fit = UNFIT.sub("_", prefix)[:LONGEST_PREFIX]
    return f"{fit}:{storage_key}:{name_digest}"


def say_local(key: str) -> None:
    _ask("set", key, 1, SECONDS)


def says_local(key: str) -> bool:
    return bool(_ask("get", key))


def forget(key: str) -> None:
    _ask("delete", key)


def _ask(method: str, *values: Any) -> Any:
    try:
        return getattr(cache, method)(*values)
    except Exception:  # noqa: BLE001 - a cache that is away makes nothing wrong
        return None
