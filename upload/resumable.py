"""Resumable uploads: begin one, take its bytes piece by piece, finish or end it.

Order: bytes durable, then the offset's commit, then the answer. The last piece's
offset is committed together with the file's row, so an upload whose offset is its
length always is a file. The caller has asked ``intake.require_may_send``. What one
request changes is guarded by the partial's lock; rows are reached through the session.
"""

import hashlib
import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any

from django.db import transaction
from django.http import UnreadablePostError
from django.utils import timezone
from django.utils.translation import gettext as _

from upload import (
    conf,
    intake,
    names,
    partials,
    prefix_digest,
    sniff,
    transitions,
    unfinished,
    validation,
)
from upload.copy_engine import CHUNK_BYTES, Receipt, verify
from upload.durable import sync_data, write_all
from upload.errors import (
    BodyRefused,
    DestinationUnreachable,
    EmptyFileRefused,
    LimitExceeded,
    MunimentError,
    NoRoom,
    ScannerUnavailable,
    ShortWrite,
    SourceUnreadable,
    TooLarge,
)
from upload.intake import Sender
from upload.page_cache import forget, start_writing
from upload.receive import Intent, receive, require_free
from upload.staging import StagedFile
from upload.tus_errors import ChecksumMismatch, OffsetConflict

# A long request tells its offset so often; a crash costs its sender no more.
TELL_EVERY_BYTES = 64 << 20
# Handed to the disk at once, while the next bytes come.
GIVE_EVERY_BYTES = 2 << 20
# Nothing is wrong with the upload; all else that refuses it ends it.
MAY_PASS = (
    DestinationUnreachable,
    NoRoom,
    ScannerUnavailable,
    ShortWrite,
    SourceUnreadable,
)


@dataclass(frozen=True, slots=True)
class Announced:
    """What the sender says of a file before its bytes; nothing is checked yet."""

    name: str
    length: int
    relative_path: str = ""
    sha256: str = ""
    numbered: bool = False
    metadata: str = ""


@dataclass(frozen=True, slots=True)
class Piece:
    """The bytes of one request; ``checksum`` is an algorithm and its digest."""

    chunks: Iterable[bytes]
    length: int
    checksum: tuple[str, bytes] | None = None


def begin(session: Any, told: Announced, sender: Sender) -> Any:
    """Make an upload of no bytes yet; raise what the plain endpoint would raise."""
    _require_length(session, told)
    name = validation.name_before_bytes(told.name)
    folder = names.clean_relative_path(told.relative_path)
    sha256 = validation.digest_of_field(told.sha256)
    if not told.numbered:
        require_free(session, name)
    upload = session.unfinishedupload_set.model(
        session=session,
        name=name,
        relative_path=folder,
        sha256=sha256,
        numbered=told.numbered,
        length=told.length,
        metadata=told.metadata,
        sender=sender.actor,
        via=sender.via,
        expires_at=unfinished.expiry(),
    )
    partials.create(upload.uuid)
    try:
        with transaction.atomic():
            transitions.hold(session)
            _require_room(session, told.length)
            transitions.touch(session)
            upload.save()
    except MunimentError:
        partials.drop(upload.uuid)
        raise
    return upload


def _require_length(session: Any, told: Announced) -> None:
    limit = conf.max_single_size_bytes()
    if told.length > limit:
        raise TooLarge(
            _("“%(name)s” is larger than %(limit)d MB, the most for one file.")
            % {
                "name": names.printable(told.name),
                "limit": limit // conf.BYTES_PER_MB,
            }
        )
    intake.require_length(session, str(told.length))
    if not told.length and not conf.accept_empty_files():
        raise EmptyFileRefused(
            _("“%(name)s” is empty, and empty files are not accepted here.")
            % {"name": names.printable(told.name)}
        )


def _require_room(session: Any, length: int) -> None:
    """Raise where what others have begun leaves no room; the row must be held."""
    session.refresh_from_db(fields=["total_files", "total_size_bytes"])
    open_ones = session.unfinishedupload_set.filter(finished_at=None)
    lengths = list(open_ones.values_list("length", flat=True))
    files = session.total_files + len(lengths)
    size_bytes = session.total_size_bytes + sum(lengths) + length
    if files >= conf.max_total_count() or size_bytes > conf.max_total_size_bytes():
        raise LimitExceeded(
            _(
                "Session %(session)s has no room for this file beside those received "
                "and those begun: at most %(count)d files and %(size)d MB in all."
            )
            % {
                "session": session.uuid,
                "count": conf.max_total_count(),
                "size": conf.max_total_size_bytes() // conf.BYTES_PER_MB,
            }
        )


def begin_with(session: Any, told: Announced, sender: Sender, piece: Piece) -> Any:
    """Make an upload and take its first piece; an upload whose piece failed ends.

    Its sender is told no address, so nobody could go on with it.
    """
    upload = begin(session, told, sender)
    try:
        return append(upload, 0, piece)
    except (MunimentError, UnreadablePostError, OSError):
        unfinished.end(upload)
        raise


def find(session: Any, uuid: Any) -> Any:
    """Return an upload whose bytes are as many as its offset says."""
    upload = session.unfinishedupload_set.filter(uuid=uuid).first()
    if upload is None:
        raise unfinished.gone()
    if not upload.finished_at and upload.expires_at <= timezone.now():
        raise unfinished.gone()
    upload.session = session
    if not upload.finished_at:
        try:
            key = unfinished.key_of(upload)
            whole = partials.size_of(upload.uuid, key) >= upload.offset
        except FileNotFoundError:
            # Another request may have finished it a moment ago.
            upload.refresh_from_db()
            whole = upload.finished_at is not None
        if not whole:
            raise unfinished.gone()
    return upload


def append(upload: Any, offset: int, piece: Piece) -> Any:
    """Take the bytes that begin at ``offset``; return the row as it then is.

    Raise ``OffsetConflict`` with the true offset, ``UploadLocked``, ``TooLarge``,
    ``ChecksumMismatch`` (nothing of the piece is kept), or what ``receive`` refuses:
    then the upload has ended.
    """
    try:
        with unfinished.held(upload) as descriptor:
            _read_again(upload)
            _require_offset(upload, offset, piece.length)
            os.ftruncate(descriptor, upload.offset)
            _Appending(upload, descriptor, piece).run()
    except FileNotFoundError as error:
        _read_again(upload)
        if not upload.finished_at:
            raise unfinished.gone() from error
        _require_offset(upload, offset, piece.length)
    return upload


def _read_again(upload: Any) -> None:
    fresh = upload.session.unfinishedupload_set.filter(pk=upload.pk).first()
    if fresh is None:
        raise unfinished.gone()
    upload.offset, upload.finished_at = fresh.offset, fresh.finished_at


def _require_offset(upload: Any, offset: int, length: int) -> None:
    if offset != upload.offset:
        raise OffsetConflict(offset, upload.offset)
    if offset + length > upload.length:
        raise TooLarge(
            _("The piece ends behind the %(length)d bytes that were announced.")
            % {"length": upload.length}
        )


class _Appending:
    """One piece on its way into a locked partial."""

    def __init__(self, upload: Any, descriptor: int, piece: Piece) -> None:
        self.upload, self.descriptor, self.piece = upload, descriptor, piece
        self.digest = prefix_digest.take(upload.uuid, upload.offset)
        # ``given``: up to where the disk was asked to write.
        self.start = self.end = self.given = upload.offset
        self.sum = hashlib.new(piece.checksum[0]) if piece.checksum else None

    def run(self) -> None:
        """Take all that comes; what came before a cut stays, unless it has a sum."""
        self.digest.read_on(self.descriptor, self.end)
        os.lseek(self.descriptor, self.end, os.SEEK_SET)
        try:
            for chunk in self.piece.chunks:
                self._write(chunk)
        except UnreadablePostError:
            self._keep()
            raise
        self._keep()
        if self.end < self.start + self.piece.length:
            raise BodyRefused(
                _("The connection ended before the whole piece was read."), "cut_off"
            )

    def _write(self, chunk: bytes) -> None:
        write_all(self.descriptor, chunk)
        self.end += len(chunk)
        if self.end - self.given >= GIVE_EVERY_BYTES:
            start_writing(self.descriptor, self.given, self.end - self.given)
            self.given = self.end
        self.digest.update(chunk)
        if self.sum is not None:
            self.sum.update(chunk)
        elif (
            self.end - self.upload.offset >= TELL_EVERY_BYTES
            and self.end < self.upload.length
        ):
            self._settle()

    def _keep(self) -> None:
        if (
            self.sum is None
            or self.sum.digest() == (self.piece.checksum or ("", b""))[1]
        ):
            self._settle()
        else:
            os.ftruncate(self.descriptor, self.start)
            raise ChecksumMismatch(
                _("The bytes are not those of the checksum; none of them was kept.")
            )

    def _settle(self) -> None:
        """Make the bytes durable, then commit what they are: more, or all."""
        sync_data(self.descriptor)
        forget(self.descriptor, range(self.start, self.end))
        if self.end < self.upload.length:
            self._tell()
        else:
            _finish(self.upload, self.descriptor, self.digest.receipt())

    def _tell(self) -> None:
        session, upload = self.upload.session, self.upload
        with transaction.atomic():
            transitions.touch(session)
            unfinished.change(upload, offset=self.end, expires_at=unfinished.expiry())
        upload.offset = self.end
        prefix_digest.keep(upload.uuid, self.digest.copy())


def _bytes(descriptor: int) -> Iterator[bytes]:
    offset = 0
    while chunk := os.pread(descriptor, CHUNK_BYTES, offset):
        yield chunk
        offset += len(chunk)


def _finish(upload: Any, descriptor: int, receipt: Receipt) -> None:
    """Turn a whole partial into an ordinary temporary file of the session."""
    uuid = upload.uuid
    head = os.pread(descriptor, sniff.HEAD_BYTES, 0)

    def place(key: str, expected: Receipt | None) -> Receipt:
        return partials.put_in_place(descriptor, uuid, key, receipt)

    staged = StagedFile(
        upload.name, head, receipt, (partial(_bytes, descriptor), place)
    )
    staged.withdraw = partial(partials.give_back, uuid)
    try:
        if upload.sha256:
            verify(upload.name, Receipt(receipt.size_bytes, upload.sha256), receipt)
        validation.after_bytes(staged)
        receive(upload.session, staged, _intent(upload))
    except MAY_PASS:
        raise  # the last piece is sent again when that is over
    except MunimentError:
        unfinished.end(upload)
        raise
    partials.drop(uuid)
    prefix_digest.forget(uuid)


def _intent(upload: Any) -> Intent:
    finished = {"offset": upload.length, "finished_at": timezone.now()}
    return Intent(
        relative_path=upload.relative_path,
        sha256=upload.sha256,
        numbered=upload.numbered,
        actor=upload.sender,
        via=upload.via,
        file_uuid=upload.uuid,
        settle=lambda: unfinished.change(
            upload, **finished, expires_at=unfinished.expiry()
        ),
    )
