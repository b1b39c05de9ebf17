"""Try a destination out: write, read back, list and delete a small file of our own.

Called by the admin and by ``manage.py probe_destinations``. Never raises for what is
wrong with the destination: that is the result, which is kept on the row. It names no
secret, and its text is ours.
"""

import logging
import secrets
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from typing import Any

from django.utils import timezone

from upload.errors import DestinationCorrupts, DestinationRefused, MunimentError
from upload.models import Destination
from upload.targets import Target
from upload.targets.base import new_staging_name
from upload.wording import gettext as _
from upload.wording import kept_of, of_error

logger = logging.getLogger(__name__)

PROBE_BYTES = 64 * 1024

type Found = dict[str, Any]


def probe(destination: Destination) -> Found:
    """Return what a try of the destination found, after noting it on the row.

    ``{"ok": True, "error": "", "error_told": None, "latency_ms": 3.1,
    "free_bytes": None,
    "steps_ms": {"check": 9.8, "write": …, "read": …, "list": …, "delete": …},
    "capabilities": {"refuses_to_replace": True, "stages": True, "syncs": True}}``.
    The latency is that of listing. May be run at any time, beside copies too.
    """
    found: Found = {
        "ok": False,
        "error": "",
        "error_told": None,  # as in upload.wording
        "latency_ms": None,
        "free_bytes": None,
        "steps_ms": {},
        "capabilities": {},
    }
    problem = _problem(destination, found)
    found |= {"ok": not problem, "error": problem, "error_told": kept_of(problem)}
    destination.last_probed_at, destination.last_probe = timezone.now(), found
    Destination.objects.filter(pk=destination.pk).update(
        last_probed_at=destination.last_probed_at, last_probe=found
    )
    return found


def _problem(destination: Destination, found: Found) -> str:
    """Try the destination; return why it failed, ``""`` where it did not."""
    try:
        with closing(destination.target()) as target:
            _try_out(target, found)
    except (MunimentError, OSError) as error:
        return of_error(error)
    except Exception as error:  # noqa: BLE001 - a foreign adapter's; its text is not ours
        kind = type(error).__name__
        logger.warning("Probe of destination %s: %s.", destination.name, kind)
        return _("Its adapter failed with %(error)s.") % {"error": kind}
    return ""


def _try_out(target: Target, found: Found) -> None:
    name, content = new_staging_name("probe"), secrets.token_bytes(PROBE_BYTES)
    steps = found["steps_ms"]
    with _timed(steps, "check"):
        target.check()
    try:
        with _timed(steps, "write"):
            target.write_own(name, content)
        with _timed(steps, "read"):
            held = target.read_own(name)
        if held != content:
            raise DestinationCorrupts(name)
        with _timed(steps, "list"):
            listed = target.list_own()
        if name not in listed:
            raise DestinationRefused(_("It does not list a file that it has taken."))
        with _timed(steps, "delete"):
            target.drop_own(name)
    except BaseException:
        with suppress(MunimentError, OSError):
            target.drop_own(name)
        raise
    found["latency_ms"] = steps["list"]
    found["free_bytes"] = target.free_bytes()
    found["capabilities"] = target.capabilities()


@contextmanager
def _timed(steps: dict[str, float], step: str) -> Iterator[None]:
    started = time.perf_counter()
    yield
    steps[step] = round((time.perf_counter() - started) * 1000, 1)
