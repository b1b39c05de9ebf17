"""What is asked of a file that arrives by HTTP, in a fixed order.

Before its bytes: a clean name, an accepted extension. While they come: the size limit.
After: bytes of the kind that the name says. The session's own rules (state, room, taken
names) are asked by ``receive``, then the declared digest, and last the malware scanner
where it is switched on (``malware.require_clean``).
"""

import re
from collections.abc import Callable, Iterable, Iterator

from django.utils.translation import gettext as _

from upload import conf, names, sniff
from upload.errors import BodyRefused, NameRefused, TooLarge, TypeRefused
from upload.staging import StagedFile

SHA256 = re.compile(r"[0-9A-Fa-f]{64}")
# Stands where a sender's or a library's decoder met bytes that are no text.
REPLACEMENT = "\ufffd"


def require_decoded(name: str) -> None:
    if REPLACEMENT in name:
        raise NameRefused(
            name,
            _("“%(name)s” holds characters that were lost on the way. Rename the file.")
            % {"name": names.printable(name)},
            "name_not_unicode",
        )


BEFORE_BYTES: tuple[Callable[[str], None], ...] = (
    require_decoded,
    names.require_accepted_extension,
)


def name_before_bytes(raw: str) -> str:
    """Return the clean display name of a file that may come; raise ``NameRefused``."""
    name = names.clean_display_name(raw)
    for check in BEFORE_BYTES:
        check(name)
    return name


def counted(name: str, chunks: Iterable[bytes]) -> Iterator[bytes]:
    """Pass the chunks on; raise ``TooLarge`` past MAX_SINGLE_UPLOAD_SIZE_MB."""
    limit = conf.max_single_size_bytes()
    seen = 0
    for chunk in chunks:
        seen += len(chunk)
        if seen > limit:
            raise TooLarge(
                _("“%(name)s” is larger than %(limit)d MB, the most for one file.")
                % {
                    "name": names.printable(name),
                    "limit": limit // conf.BYTES_PER_MB,
                }
            )
        yield chunk


def require_kind(file: StagedFile) -> None:
    """Raise ``TypeRefused`` where the bytes are not what the extension says."""
    name = file.name or ""
    extension = names.real_extension(name)
    found = file.kind
    if not sniff.contradicts(found, extension):
        return
    raise TypeRefused(
        _(
            "“%(name)s” is called .%(extension)s, but its bytes are %(found)s. Give it "
            "the extension it should have, or check that the file is not damaged."
        )
        % {"name": names.printable(name), "extension": extension, "found": found}
    )


AFTER_BYTES: tuple[Callable[[StagedFile], None], ...] = (require_kind,)


def after_bytes(file: StagedFile) -> None:
    """Ask what only the bytes can answer."""
    for check in AFTER_BYTES:
        check(file)


def digest_of_field(text: str) -> str:
    """Return a SHA-256 in lower case, or ``""``; raise ``BodyRefused``."""
    if text and not SHA256.fullmatch(text):
        raise BodyRefused(
            _("“sha256” has to be 64 hexadecimal digits, or empty."), "bad_sha256"
        )
    return text.lower()
