"""Which storage a row belongs to: a digest that no secret goes into.

It has to be the same in every process and after a password was changed, and another
one where files lie at another place. A named identity stays when folders move.
"""

import hashlib
import json
import re
from collections.abc import Iterator
from pathlib import PurePath
from posixpath import normpath
from typing import Any
from urllib.parse import urlsplit

KEY_LENGTH = 32
SECRET_NAME = re.compile(
    r"pass|secret|token|credential|private|(^|_)sas|"
    r"(access|account|api|shared)_?key|^(cloudfront_)?key$|key_?file",
    re.IGNORECASE,
)
# Options that say how a place is spoken with, and may change as passwords do.
NO_PLACE = {"ca_file", "host_keys", "patience_seconds", "read_back"}
LOGIN_IN_URL = re.compile(r"(?<=://)[^/\s]*@")
QUERY_OF_URL = re.compile(r"(?<=://)([^\s?'\"]*)\?[^\s'\"]*")
SHORTEST_SECRET = 4
HIDDEN = "…"


def digest(*words: str) -> str:
    """Return 64 characters that stand for the words in this order."""
    # A disk's names may be no Unicode; Python has surrogates for their bytes.
    whole = "\0".join(words).encode(errors="surrogatepass")
    return hashlib.sha256(whole).hexdigest()


def key_of(*parts: Any) -> str:
    """Return the key of what is described by the parts, their secrets left out."""
    plain = json.dumps([public(part) for part in parts], sort_keys=True)
    return digest(plain)[:KEY_LENGTH]


def public(value: Any) -> Any:
    """Return what tells a place of the value, without secrets, as JSON can hold it."""
    if isinstance(value, dict):
        return {
            str(name): public(inner)
            for name, inner in value.items()
            if name not in NO_PLACE and not SECRET_NAME.search(str(name))
        }
    if isinstance(value, list | tuple):
        return [public(inner) for inner in value]
    if isinstance(value, str | PurePath):
        return _public_text(str(value))
    if value is None or isinstance(value, bool | int | float):
        return value
    return f"<{type(value).__module__}.{type(value).__qualname__}>"


def _public_text(text: str) -> str:
    """Leave out logins of URLs and the secrets of a connection string."""
    pairs = [pair.partition("=") for pair in text.split(";")]
    if len(pairs) > 1 and all(equals for name, equals, _rest in pairs if name):
        kept = ((n, v) for n, _equals, v in pairs if not SECRET_NAME.search(n))
        text = ";".join(f"{name}={value}" for name, value in kept)
    return QUERY_OF_URL.sub(r"\1", LOGIN_IN_URL.sub("", text))


def without_secrets(value: Any) -> Any:
    """Return options for a page that people read, such as a migration.

    Of an address only its login is left out: a storage may not be made without one.
    """
    if isinstance(value, dict):
        return {
            name: without_secrets(inner)
            for name, inner in value.items()
            if not SECRET_NAME.search(str(name))
        }
    if isinstance(value, list | tuple):
        plain = [without_secrets(inner) for inner in value]
        return plain if isinstance(value, list) else tuple(plain)
    return _public_text(value) if isinstance(value, str) else value


def redacted(text: str, options: dict[str, Any]) -> str:
    """Return a message without logins, signed addresses and the options' secrets."""
    for secret in sorted(_secrets(options), key=len, reverse=True):
        text = text.replace(secret, HIDDEN)
    return QUERY_OF_URL.sub(rf"\1?{HIDDEN}", LOGIN_IN_URL.sub(f"{HIDDEN}@", text))


def _secrets(value: Any, *, named: bool = False) -> Iterator[str]:
    if isinstance(value, dict):
        for name, inner in value.items():
            secret = named or bool(SECRET_NAME.search(str(name)))
            yield from _secrets(inner, named=secret)
    elif isinstance(value, list | tuple):
        for inner in value:
            yield from _secrets(inner, named=named)
    elif isinstance(value, str) and len(value) >= SHORTEST_SECRET:
        if named:
            yield value
        elif "://" in value and (login := urlsplit(value).password):
            yield login
        elif ";" in value:
            pairs = (pair.partition("=") for pair in value.split(";"))
            yield from (v for n, _e, v in pairs if v and SECRET_NAME.search(n))


def plain_name(name: Any) -> str:
    """Return one spelling for all that mean the same file."""
    return normpath(str(name).replace("\\", "/"))


def name_digest(storage_key: str, name: str) -> str:
    return digest(storage_key, plain_name(name))
