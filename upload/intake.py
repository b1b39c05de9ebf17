"""Take the files of one HTTP request in: permission, limits, validators, ``receive``.

Order: the sender's right and the session's state; what the headers alone can tell; then
the body, each file staged and hashed once while it comes; when the whole body was read,
each file is received on its own. Files fail one by one: what became of each is an
``Outcome``, and a body that is cut off keeps nothing at all.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from django.conf import settings
from django.core.exceptions import SuspiciousOperation
from django.http import UnreadablePostError
from django.utils.translation import gettext as _

from upload import conf, multipart, names, policy, transitions, validation
from upload.errors import (
    DATABASE_ERRORS,
    BodyRefused,
    LengthRequired,
    MunimentError,
    NoRoom,
    TooLarge,
    UploadsOff,
)
from upload.multipart import Part
from upload.receive import Intent, receive
from upload.staging import StagedFile, Staging
from upload.states import Verb
from upload.storage import TempFileStorage, free_bytes

FILE = "file"
ALIGNED = ("sha256", "relative_path")
KNOWN = {*ALIGNED, "numbered", "csrfmiddlewaretoken"}
TRUE_WORDS = {"1", "true", "yes", "on"}
# For boundaries, part headers and fields beside the bytes of files.
OVERHEAD_BYTES = 4 << 20


@dataclass(frozen=True, slots=True)
class Sender:
    """A signed-in person, or (None) who holds the session's token."""

    actor: Any
    via: str = ""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one file: its row or the error."""

    name: str
    row: Any = None
    error: Exception | None = None


@dataclass(slots=True)
class Arrival:
    """One file part: staged, or refused before or while its bytes came."""

    name: str
    file: StagedFile | None = None
    error: Exception | None = None


@dataclass(slots=True)
class Body:
    """What a request carried; fields keep their order."""

    arrivals: list[Arrival] = field(default_factory=list)
    fields: dict[str, list[str]] = field(default_factory=dict)


def require_uploads_on() -> None:
    if not conf.file_upload_enabled():
        raise UploadsOff(_("Uploads are switched off here (FILE_UPLOAD_ENABLED)."))


def require_may_send(session: Any, sender: Sender) -> None:
    """Raise where the sender may not upload into the session now. Reads no body."""
    require_uploads_on()
    if not sender.via:
        policy.require_right(sender.actor, Verb.UPLOAD, session)
    policy.require_state(Verb.UPLOAD, session)
    policy.require_in_hand(sender.actor, session)
    transitions.require_room(session)


def require_length(session: Any, announced: str | None) -> int:
    """Return the body's length; raise where the headers alone forbid reading it.

    One request carries at most one file of the largest size, or several smaller ones of
    that size in all.
    """
    if not announced:
        raise LengthRequired(
            _("The request has to say its Content-Length; send it without “chunked”.")
        )
    if not announced.isascii() or not announced.isdigit() or len(announced) > 18:
        raise BodyRefused(_("The Content-Length of the request is no number of bytes."))
    length = int(announced)
    _require_size(session, length)
    _require_space(length)
    return length


def _require_size(session: Any, length: int) -> None:
    limit = conf.max_single_size_bytes()
    if length > limit + OVERHEAD_BYTES:
        raise TooLarge(
            _("The request is larger than %(limit)d MB, the most at once.")
            % {"limit": limit // conf.BYTES_PER_MB}
        )
    room = conf.max_total_size_bytes() - session.total_size_bytes
    if length > room + OVERHEAD_BYTES:
        raise TooLarge(
            _("The request is larger than the %(room)d bytes left in session %(uuid)s.")
            % {"room": max(room, 0), "uuid": session.uuid}
        )


def _require_space(length: int) -> None:
    free = free_bytes(TempFileStorage())
    if free is not None and length > free:
        raise NoRoom(_("The storage has not enough space left for this request."))


def take(session: Any, body: Any, boundary: bytes, sender: Sender) -> list[Outcome]:
    """Read ``body`` and return what became of each file, in order.

    Raise ``BodyRefused`` where the body as a whole is refused; nothing is kept then.
    """
    return take_parts(session, multipart.read_parts(body, boundary), sender)


def take_parts(session: Any, parts: Iterator[Part], sender: Sender) -> list[Outcome]:
    """Take the files of a body of which the first parts may have been read."""
    with Staging() as staging:
        found = _read(parts, staging)
        _require_files(found)
        intents = _intents(found, sender)
        return [
            _receive(session, arrival, intent)
            for arrival, intent in zip(found.arrivals, intents, strict=True)
        ]


def _read(parts: Iterator[Part], staging: Staging) -> Body:
    body = Body()
    room = settings.DATA_UPLOAD_MAX_MEMORY_SIZE
    for part in parts:
        if part.filename is not None:
            body.arrivals.append(_arrive(part, staging))
            continue
        if part.field not in KNOWN:
            raise BodyRefused(_unknown(part.field), "unknown_field")
        text = multipart.read_text(part, room)
        room -= len(text) + len(part.field)
        body.fields.setdefault(part.field, []).append(text)
    return body


def _unknown(name: str) -> str:
    return _(
        "There is no field “%(name)s”; files come as “file”, beside: %(known)s."
    ) % {
        "name": names.printable(name),
        "known": ", ".join([*ALIGNED, "numbered"]),
    }


def _arrive(part: Part, staging: Staging) -> Arrival:
    """Stage one file; its own faults are kept beside its name."""
    arrival = Arrival(names.printable(part.filename or ""))
    try:
        if part.field != FILE:
            raise BodyRefused(_unknown(part.field), "unknown_field")
        arrival.name = validation.name_before_bytes(part.filename or "")
        chunks = validation.counted(arrival.name, part.chunks)
        arrival.file = staging.take(arrival.name, chunks)
        validation.after_bytes(arrival.file)
    except UnreadablePostError:
        raise
    except (MunimentError, SuspiciousOperation, OSError) as error:
        arrival.error = error
    return arrival


def _require_files(body: Body) -> None:
    count = len(body.arrivals)
    if not count:
        raise BodyRefused(_("The request holds no part called “file”."), "no_file")
    for name in ALIGNED:
        if len(body.fields.get(name, [])) not in {0, count}:
            raise BodyRefused(
                _("“%(name)s” has to stand once for each file, in the same order.")
                % {"name": name},
                "fields_not_aligned",
            )
    if len(body.fields.get("numbered", [])) not in {0, 1, count}:
        raise BodyRefused(
            _("“numbered” has to stand once, or once for each file."),
            "fields_not_aligned",
        )


def _intents(body: Body, sender: Sender) -> list[Intent]:
    """Return what is asked for each file; a fault of a field is its file's fault."""
    count = len(body.arrivals)
    digests = body.fields.get("sha256", [""] * count)
    folders = body.fields.get("relative_path", [""] * count)
    numbers = body.fields.get("numbered", [""])
    numbers = numbers * count if len(numbers) == 1 else numbers
    return [
        _intent(arrival, digest, folder, number in TRUE_WORDS, sender)
        for arrival, digest, folder, number in zip(
            body.arrivals, digests, folders, numbers, strict=True
        )
    ]


def _intent(
    arrival: Arrival, digest: str, folder: str, numbered: bool, sender: Sender
) -> Intent:
    try:
        return Intent(
            relative_path=names.clean_relative_path(folder),
            sha256=validation.digest_of_field(digest),
            numbered=numbered,
            actor=sender.actor,
            via=sender.via,
        )
    except MunimentError as error:
        arrival.error = arrival.error or error
        return Intent()


def _receive(session: Any, arrival: Arrival, intent: Intent) -> Outcome:
    if arrival.error is not None or arrival.file is None:
        return Outcome(arrival.name, error=arrival.error)
    try:
        return Outcome(arrival.name, receive(session, arrival.file, intent))
    except (MunimentError, OSError, *DATABASE_ERRORS) as error:
        return Outcome(arrival.name, error=error)
