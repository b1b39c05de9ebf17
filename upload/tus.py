"""The words of tus 1.0: headers in and out, as text; knows no rows and no bytes.

Only what is announced in ``EXTENSIONS`` is spoken; anything else is refused.
"""

import base64
import binascii
import hashlib
from collections.abc import Mapping

from django.utils.translation import gettext as _

from upload.errors import BodyRefused, LengthRequired
from upload.tus_errors import ProtocolRefused

VERSION = "1.0.0"
EXTENSIONS = "creation,creation-with-upload,expiration,checksum,termination"
ALGORITHMS = ("sha1", "sha256", "md5")
PIECE = "application/offset+octet-stream"
MAX_METADATA = 16 << 10


def require_version(found: str) -> None:
    if found != VERSION:
        raise ProtocolRefused(
            _("Send “Tus-Resumable: %(version)s” with each request.")
            % {"version": VERSION},
            412,
        )


def number(headers: Mapping[str, str], name: str) -> int:
    """Return a header that is a count of bytes."""
    text = headers.get(name, "")
    if not text.isascii() or not text.isdigit() or len(text) > 18:
        raise ProtocolRefused(
            _("The header “%(name)s” has to be a number of bytes.") % {"name": name}
        )
    return int(text)


def length_of_body(headers: Mapping[str, str]) -> int:
    if not headers.get("Content-Length"):
        raise LengthRequired(
            _("The request has to say its Content-Length; send it without “chunked”.")
        )
    if headers.get("Content-Encoding", "identity") != "identity":
        raise BodyRefused(_("Send the body as it is, without a Content-Encoding."))
    return number(headers, "Content-Length")


def require_piece(headers: Mapping[str, str]) -> None:
    if headers.get("Content-Type", "") != PIECE:
        raise ProtocolRefused(
            _("Send the bytes with “Content-Type: %(kind)s”.") % {"kind": PIECE}, 415
        )


def metadata(text: str) -> dict[str, str]:
    """Return an Upload-Metadata; raise ``ProtocolRefused`` for what is not one."""
    found: dict[str, str] = {}
    if len(text) > MAX_METADATA:
        raise ProtocolRefused(_("The header “Upload-Metadata” is too long."))
    for pair in filter(None, (pair.strip() for pair in text.split(","))):
        key, _space, value = pair.partition(" ")
        if key in found:
            raise _bad_metadata()
        try:
            found[key] = base64.b64decode(value.strip(), validate=True).decode()
        except (binascii.Error, ValueError) as error:
            raise _bad_metadata() from error
    return found


def _bad_metadata() -> ProtocolRefused:
    return ProtocolRefused(
        _(
            "The header “Upload-Metadata” has to be pairs of a key, used once, and "
            "UTF-8 text in base64."
        )
    )


def checksum(text: str) -> tuple[str, bytes] | None:
    """Return algorithm and digest of an Upload-Checksum; None where there is none."""
    if not text:
        return None
    algorithm, _space, value = text.partition(" ")
    try:
        digest = base64.b64decode(value.strip(), validate=True)
    except (binascii.Error, ValueError):
        digest = b""
    if algorithm not in ALGORITHMS or len(digest) != hashlib.new(algorithm).digest_size:
        raise ProtocolRefused(
            _("The header “Upload-Checksum” has to be one of %(known)s and its base64.")
            % {"known": ", ".join(ALGORITHMS)}
        )
    return algorithm, digest
