"""Read settings from the environment, loudly.

Called by ``settings.py`` alone. A missing or wrong value raises
``ImproperlyConfigured`` that names the variable and shows a good value. For every
variable ``NAME``, ``NAME_FILE`` may name a file that holds the value instead.
"""

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from django.core.exceptions import ImproperlyConfigured

TRUE_WORDS = {"1", "true", "yes", "on"}
FALSE_WORDS = {"0", "false", "no", "off", ""}


def text(name: str, default: str | None = None, *, example: str = "…") -> str:
    """Return the variable's text; without a default it must be set."""
    value = os.environ.get(name)
    if value is None and (path := os.environ.get(f"{name}_FILE")):
        value = _text_of_file(name, path)
    if value is not None:
        return value
    if default is None:
        raise ImproperlyConfigured(
            f"{name} is not set. Set it in the environment, for example "
            f"{name}={example}, or name a file that holds it in {name}_FILE."
        )
    return default


def _text_of_file(name: str, path: str) -> str:
    try:
        return Path(path).read_text(encoding="utf-8").strip()
    except OSError as error:
        raise ImproperlyConfigured(
            f"{name}_FILE is {path!r}, which cannot be read ({error.strerror})."
        ) from error


def boolean(name: str, *, default: bool) -> bool:
    """Return the variable as True or False; any other word is refused."""
    word = text(name, "1" if default else "0").strip().lower()
    if word in TRUE_WORDS:
        return True
    if word in FALSE_WORDS:
        return False
    raise ImproperlyConfigured(f"{name} is {word!r}; write {name}=1 or {name}=0.")


def integer(name: str, default: int, *, minimum: int) -> int:
    """Return the variable as a whole number of at least ``minimum``."""
    raw = text(name, str(default))
    try:
        value = int(raw)
    except ValueError:
        value = minimum - 1
    if value < minimum:
        raise ImproperlyConfigured(
            f"{name} is {raw!r}; it must be a whole number of at least {minimum}, "
            f"for example {name}={default}."
        )
    return value


def switchable(name: str, default: int) -> int:
    """Return a number of 1 or more, or -1, which switches the feature off."""
    value = integer(name, default, minimum=-1)
    if value == 0:
        raise ImproperlyConfigured(
            f"{name} is 0; write a number of at least 1, for example "
            f"{name}={default}, or {name}=-1 to switch it off."
        )
    return value


def words(name: str, default: str = "") -> list[str]:
    """Return the variable split at commas, without empty parts."""
    return [part.strip() for part in text(name, default).split(",") if part.strip()]


def directory(name: str, default: Path) -> Path:
    """Return an absolute folder path; a relative one is refused."""
    path = Path(text(name, str(default)))
    if not path.is_absolute():
        raise ImproperlyConfigured(
            f"{name} is {str(path)!r}; write an absolute path, for example "
            f"{name}={default}."
        )
    return path


def mapping[T](name: str, default: T, parse: Callable[[str], T]) -> T:
    """Return ``parse(value)``, or ``default`` where the variable is not set."""
    raw = text(name, "")
    if not raw:
        return default
    try:
        return parse(raw)
    except ValueError as error:
        raise ImproperlyConfigured(f"{name} is {raw!r}: {error}") from error


def _json(name: str) -> Any:
    """Return what the variable says as JSON, ``{}`` if unset, None if it is none."""
    try:
        return json.loads(text(name, "") or "{}")
    except ValueError:
        return None


def backends(name: str) -> dict[str, dict[str, object]]:
    """Return the JSON object ``{"alias": {"BACKEND": …, "OPTIONS": {…}}}``, or ``{}``.

    It may hold secrets, so no message shows its text.
    """
    parsed = _json(name)
    if not _are_backends(parsed):
        raise ImproperlyConfigured(
            f"{name} must be a JSON object of objects with a BACKEND each, for example "
            f'{name}={{"box": {{"BACKEND": "upload.targets.sftp.SftpTarget", '
            '"OPTIONS": {"host": "sftp.example.org"}}}.'
        )
    return parsed


def backend(name: str, default: str) -> dict[str, Any]:
    """Return the JSON object ``{"BACKEND": …, "OPTIONS": {…}}``, or ``{}``.

    Without a BACKEND it is ``default``. It may hold secrets, so no message shows it.
    """
    if not text(name, ""):
        return {}
    parsed = _json(name)
    known = {"BACKEND": default, "OPTIONS": {}}
    entry = known | parsed if isinstance(parsed, dict) and parsed else None
    if entry is None or not _are_backends({name: entry}):
        raise ImproperlyConfigured(
            f"{name} must be a JSON object with BACKEND and OPTIONS, for example "
            f'{name}={{"OPTIONS": {{"bucket_name": "records"}}}}.'
        )
    return entry


def _are_backends(parsed: object) -> bool:
    return isinstance(parsed, dict) and all(
        isinstance(entry, dict)
        and isinstance(entry.get("BACKEND"), str)
        and isinstance(entry.get("OPTIONS", {}), dict)
        for entry in parsed.values()
    )


def formats(raw: str) -> dict[str, list[str]]:
    """Parse ``PDF:pdf;Image:jpg,png`` into ``{"PDF": ["pdf"], …}``.

    Raise ``ValueError`` where a group has no name or no extension.
    """
    groups: dict[str, list[str]] = {}
    for part in filter(None, (p.strip() for p in raw.split(";"))):
        label, _, listed = part.partition(":")
        extensions = [e.strip().lower().lstrip(".") for e in listed.split(",")]
        if not label.strip() or not all(extensions):
            raise ValueError("write groups as PDF:pdf;Image:jpg,jpeg,png")
        groups[label.strip()] = extensions
    return groups


def socket_address(raw: str) -> str:
    """Return ``unix:/path`` or ``host:port`` as it is; raise ``ValueError``."""
    host, _, port = raw.rpartition(":")
    if raw.startswith("unix:/") or (host and port.isascii() and port.isdigit()):
        return raw
    raise ValueError("write unix:/run/clamav/clamd.ctl or 127.0.0.1:3310")


def database(url: str) -> dict[str, object]:
    """Parse ``sqlite:////abs/file`` or ``postgresql://user:pass@host:port/name``.

    Raise ``ValueError`` for any other scheme. A PostgreSQL host given as the query
    ``?host=/folder`` is a Unix socket folder.
    """
    parts = urlsplit(url)
    if parts.scheme == "sqlite":
        return {"ENGINE": "django.db.backends.sqlite3", "NAME": unquote(parts.path[1:])}
    if parts.scheme not in {"postgres", "postgresql"}:
        raise ValueError("write sqlite:////folder/file or postgresql://user@host/name")
    query = dict(part.partition("=")[::2] for part in parts.query.split("&") if part)
    return {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": unquote(parts.path[1:]),
        "USER": unquote(parts.username or ""),
        "PASSWORD": unquote(parts.password or ""),
        "HOST": unquote(query.get("host", "")) or parts.hostname or "",
        "PORT": str(parts.port or ""),
    }
