"""Uploaded files: temporary until stored, permanent after. Thin: verbs do the work."""

import uuid
from typing import Any

from django.conf import settings
from django.db import models, transaction
from django.db.models import Q
from django.db.models.signals import post_delete
from django.dispatch import receiver
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from upload import custody, discard, paths, transitions
from upload.models.base import TellsNotUpdated
from upload.models.session import UploadSession
from upload.storage import TempFileStorage, UploadedFileStorage


def session_upload_location(instance: "BaseUploadedFile", filename: str) -> str:
    """Generate the storage key of a session's file: never from ``filename``.

    The key is made of the session's and the file's uuid, so neither a user's name nor
    the session's token ever is a path on disk.
    """
    return paths.key_for(instance.session.uuid, instance.uuid)


class BaseUploadedFile(TellsNotUpdated):
    """What temporary and permanent files share.

    ``name`` is what people see and is unique in the session; ``original_name`` is what
    the sender called it; ``relative_path`` keeps the folder it came in, or is empty.
    ``size`` (bytes) and ``sha256`` (hex) were taken while the bytes arrived.
    """

    uuid = models.UUIDField(_("UUID"), default=uuid.uuid4, unique=True, editable=False)
    name = models.CharField(_("name"), max_length=255)
    original_name = models.CharField(_("original name"), max_length=255, blank=True)
    relative_path = models.CharField(_("folder path"), max_length=1024, blank=True)
    # Indexed with the id, the order of every list of a session's files.
    session = models.ForeignKey(
        UploadSession,
        verbose_name=_("session"),
        on_delete=models.CASCADE,
        db_index=False,
    )
    file_upload = models.FileField(
        _("file"), max_length=255, null=True, upload_to=session_upload_location
    )
    size = models.PositiveBigIntegerField(_("size"), default=0, editable=False)
    sha256 = models.CharField(_("SHA-256"), max_length=64, blank=True, editable=False)
    content_type = models.CharField(_("type"), max_length=127, blank=True)
    received_at = models.DateTimeField(_("received"), default=timezone.now)
    received_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        verbose_name=_("received from"),
        null=True,
        blank=True,
        related_name="+",
        on_delete=models.SET_NULL,
    )

    class Meta:
        abstract = True
        ordering = ["pk"]

    def __str__(self) -> str:
        return self.name

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Save; a new row takes size and digest from its bytes and is counted in.

        The verbs insert rows in bulk and count for themselves.
        """
        adding = self._state.adding
        with transaction.atomic():
            super().save(*args, **kwargs)
            if adding:
                custody.note_new_row(self)

    def delete(self, *args: Any, **kwargs: Any) -> tuple[int, dict[str, int]]:
        """Delete the row; a row that is gone by now is not counted out again.

        Raise ``OnHold`` where a legal hold keeps the session's files.
        """
        with transaction.atomic():
            transitions.hold_to_dispose(self.session)
            if not custody.is_still_there(self):
                return 0, {}
            return super().delete(*args, **kwargs)

    @property
    def exists(self) -> bool:
        """Whether the bytes of this file are in its storage."""
        return bool(self.file_upload) and self.file_upload.storage.exists(
            self.file_upload.name
        )

    def copy(self, new_path: str) -> None:
        """Copy the bytes to ``new_path``, verified and durable; never over a file.

        Raise ``FileNotFoundError`` where the bytes or the folder are missing,
        ``FileExistsError`` where other bytes stand at ``new_path``, ``DigestMismatch``
        where the bytes are not those received.
        """
        custody.copy_file(self, new_path)

    def remove(self) -> None:
        """Remove the bytes: the row stays and says so, the bytes go on commit.

        May be run twice. Raise ``ValueError`` while a job works on the session.
        """
        custody.remove_bytes(self)

    def get_file_media_url(self) -> str:
        """Return the storage's own URL of the file; it needs the same permission.

        Raise ``FileNotFoundError`` where the file does not exist.
        """
        if not self.exists:
            raise FileNotFoundError(
                _("“%(name)s” of session %(session)s has no bytes in its storage.")
                % {"name": self.name, "session": self.session.uuid}
            )
        return self.file_upload.url

    def get_file_access_url(self) -> str:
        """Return the URL that asks for access, keyed by the file's opaque uuid.

        It stays valid when the file moves to permanent storage.
        """
        return reverse("upload:uploaded_file", kwargs={"uuid": self.uuid})


class TempUploadedFile(BaseUploadedFile):
    """A file in temporary storage.

    ``fingerprint`` notes inode, size and times at receipt: while they are the same the
    bytes need not be read again before the file is placed.
    """

    file_upload = models.FileField(
        _("file"),
        max_length=255,
        null=True,
        storage=TempFileStorage,
        upload_to=session_upload_location,
    )
    fingerprint = models.CharField(max_length=127, blank=True, editable=False)

    class Meta(BaseUploadedFile.Meta):
        abstract = False
        verbose_name = _("temporary file")
        verbose_name_plural = _("temporary files")
        constraints = [
            models.UniqueConstraint(
                fields=["session", "name"], name="temp_name_unique_in_session"
            )
        ]
        indexes = [models.Index(fields=["session", "id"], name="temp_of_session")]

    def move_to_permanent_storage(self) -> None:
        """Move the file from TempFileStorage to UploadedFileStorage.

        The permanent row keeps uuid, name, size and digest; this row is deleted. Raise
        ``FileNotFoundError`` or ``DigestMismatch`` where the bytes are not there whole;
        then nothing has changed.
        """
        custody.make_permanent(self)


class PermUploadedFile(BaseUploadedFile):
    """A file in permanent storage."""

    file_upload = models.FileField(
        _("file"),
        max_length=255,
        null=True,
        storage=UploadedFileStorage,
        upload_to=session_upload_location,
    )
    stored_at = models.DateTimeField(_("stored"), default=timezone.now)
    last_verified_at = models.DateTimeField(_("last verified"), null=True, blank=True)
    # NULL: good, as far as was found when it was last read.
    fixity_failed_at = models.DateTimeField(_("fixity failed"), null=True, blank=True)

    class Meta(BaseUploadedFile.Meta):
        abstract = False
        verbose_name = _("permanent file")
        verbose_name_plural = _("permanent files")
        constraints = [
            models.UniqueConstraint(
                fields=["session", "name"], name="perm_name_unique_in_session"
            )
        ]
        indexes = [
            models.Index(fields=["session", "id"], name="perm_of_session"),
            models.Index(
                fields=["fixity_failed_at"],
                condition=Q(fixity_failed_at__isnull=False),
                name="perm_fixity_failed",
            ),
        ]


@receiver(post_delete, sender=TempUploadedFile)
@receiver(post_delete, sender=PermUploadedFile)
def delete_file_on_model_delete(
    sender: type[BaseUploadedFile], instance: BaseUploadedFile, **kwargs: Any
) -> None:
    """Delete the bytes of a deleted row once the deletion has committed.

    A rollback keeps row and bytes. The file is counted out of its session in the same
    transaction. Bulk deletes through a queryset send this for every row. A legal hold
    stops them all: ``OnHold`` rolls the deletion back.
    """
    with transaction.atomic():  # somebody may call it by hand, outside of one
        transitions.hold_to_dispose(instance.session)
        if not instance.file_upload:
            return
        transitions.discharge_files(instance.session, 1, instance.size)
        discard.on_commit_delete(
            instance.file_upload.storage, [instance.file_upload.name or ""]
        )
