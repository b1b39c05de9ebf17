"""Send one file to the remote so that it surely is there, whole, and once.

What stands under the name already is ours if its size and digest are; anything else
is a stranger's and is never replaced. Knows no rows.
"""

from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from django.core.files.storage import Storage
from django.utils.translation import gettext as _

from upload.copy_engine import CHUNK_BYTES, Receipt, receipt_of, silent, verify
from upload.errors import SourceMissing
from upload.queued_storage.content import Outgoing
from upload.queued_storage.remotes.base import RemoteStorage, plain


class NameTaken(FileExistsError):
    """Another file has the name on the remote."""


class TransferStopped(Exception):
    """The worker is to stop, or the row is no longer its own."""


def _go_on() -> None:
    """Let the transfer go on."""


def _alone() -> bool:
    """Say that no other worker sends this file."""
    return True


@dataclass(slots=True)
class Sending:
    """One attempt: what is to be sent, and in the end what the remote holds.

    ``remote_name`` is the name to take; afterwards the name that was given.
    ``receipt`` is None until the remote's bytes were verified. ``is_ours`` is asked
    before a piece is deleted: a worker that was paused may find another's whole file.
    """

    name: str
    remote_name: str
    expected: Receipt | None = None
    check: Callable[[], None] = _go_on
    receipt: Receipt | None = None
    is_ours: Callable[[], bool] = _alone


def send(local: Storage, remote: Storage, sending: Sending) -> None:
    """Send the file and verify it.

    Raise ``SourceMissing``, ``NameTaken``, ``TransferStopped``, ``DigestMismatch`` for
    bytes that are not those that were saved, and what the storages raise.
    """
    with _opened(local, sending.name) as source:
        expected = sending.expected or receipt_of(_checked(source, sending), silent)
        outgoing = Outgoing(source, sending.remote_name, expected, sending.check)
        if isinstance(remote, RemoteStorage):
            _put(remote, outgoing, sending, expected)
        else:
            _save(remote, outgoing, sending, expected)
    sending.receipt = expected


def _opened(local: Storage, name: str) -> Any:
    try:
        return local.open(name, "rb")
    except (FileNotFoundError, NotADirectoryError) as error:
        raise SourceMissing(
            _("The local file “%(name)s” is not there.") % {"name": name}
        ) from error


def _put(
    remote: RemoteStorage, outgoing: Outgoing, sending: Sending, expected: Receipt
) -> None:
    """Use our own storages' way of taking exactly this name."""
    name = plain(sending.remote_name)
    try:
        remote._put(name, outgoing.chunks(), outgoing)
    except FileExistsError as error:
        if not holds(remote, name, expected, sending.check):
            raise NameTaken(name) from error
        return
    if not remote.verifies_writes:
        _require(remote, name, sending, expected)


def _save(
    remote: Storage, outgoing: Outgoing, sending: Sending, expected: Receipt
) -> None:
    """Use any storage, which may rename, replace or cut off: read it all back."""
    name = sending.remote_name
    if remote.exists(name):
        if not holds(remote, name, expected, sending.check):
            raise NameTaken(name)
        return
    try:
        sending.remote_name = remote.save(name, outgoing)
    except BaseException:
        # The name was free: what stands there now is the piece that was written.
        _drop(remote, name, sending)
        raise
    _require(remote, sending.remote_name, sending, expected)


def _require(remote: Storage, name: str, sending: Sending, expected: Receipt) -> None:
    """Read back what was written; remove it where it is not what was sent."""
    try:
        verify(name, expected, _held(remote, name, sending.check))
    except BaseException:
        _drop(remote, name, sending)
        raise


def _drop(remote: Storage, name: str, sending: Sending) -> None:
    """Delete what was written, unless it may be another worker's by now."""
    with suppress(Exception):
        if sending.is_ours():
            remote.delete(name)


def confirm(local: Storage, remote: Storage, sending: Sending) -> None:
    """Verify what a task of one's own claims to have sent."""
    expected = sending.expected
    if expected is None:
        with _opened(local, sending.name) as source:
            expected = receipt_of(_checked(source, sending), silent)
    try:
        held = _held(remote, sending.remote_name, sending.check)
    except FileNotFoundError as error:
        words = _(
            "The task’s transfer() returned True, but “%(name)s” is not on the remote."
        )
        raise FileNotFoundError(words % {"name": sending.remote_name}) from error
    verify(sending.remote_name, expected, held)
    sending.receipt = expected


def holds(
    remote: Storage,
    name: str,
    expected: Receipt | None,
    check: Callable[[], None] = _go_on,
) -> bool:
    """Return whether the remote has exactly these bytes under the name."""
    if expected is None or not expected.sha256:
        return False
    try:
        return remote.size(name) == expected.size_bytes and expected.agrees_with(
            _held(remote, name, check)
        )
    except (FileNotFoundError, IsADirectoryError):
        return False


def _held(remote: Storage, name: str, check: Callable[[], None]) -> Receipt:
    with remote.open(name, "rb") as file:
        return receipt_of(_checked(file, Sending(name, name, check=check)), silent)


def _checked(file: Any, sending: Sending) -> Iterator[bytes]:
    for chunk in file.chunks(CHUNK_BYTES):
        sending.check()
        yield chunk
