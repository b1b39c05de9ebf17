"""``UploadSession``: the document's public surface. Thin: the verbs do the work."""

import logging
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, ClassVar, Self

from django.conf import settings
from django.core.files.uploadedfile import UploadedFile
from django.db import models, transaction
from django.utils import timezone
from django.utils.crypto import get_random_string
from django.utils.translation import gettext_lazy as _

from upload import (
    conf,
    direct,
    execution,
    expiry,
    listing,
    policy,
    receive,
    states,
    transitions,
)
from upload.managers import UploadSessionManager
from upload.models.base import PublicUuid, TellsNotUpdated
from upload.states import EXPIRING, JobKind

if TYPE_CHECKING:
    from django.contrib.auth.models import AbstractUser

    from upload.models.files import BaseUploadedFile, PermUploadedFile, TempUploadedFile

logger = logging.getLogger(__name__)
HELD = models.Q(hold_count__gt=0)


def new_token() -> str:
    """Return a fresh session token: 32 letters and digits, about 190 bits."""
    return get_random_string(32)


class UploadSession(PublicUuid, TellsNotUpdated):
    """A file upload session: the files that somebody sent, from receipt to disposal.

    ::

        CREATED ──▶ UPLOADING ──▶ COPYING_IN_PROGRESS ──▶ STORED
           ▲  │       │  │  ▲        │        ▲  ▲            │ │
           │  ▼       ▼  │  │        ▼        │  └────────────┘ │
           │  EXPIRED    │  │   COPYING_FAILED┘                 │
           │             ▼  │        ▼                          │
           └── REMOVING_IN_PROGRESS ◀┴──────────────────────────┘

    ``status`` is written by ``upload.transitions`` alone. ``token`` is a credential:
    it never stands in a URL, a path, a log or an event; ``uuid`` names the session.
    """

    class SessionLimitExceeded(Exception):
        """Raised when a new session would exceed a user's open-session limit."""

        code = "session_limit_exceeded"

    SessionStatus = states.SessionStatus

    token = models.CharField(
        _("token"), max_length=64, unique=True, default=new_token, editable=False
    )
    started_at = models.DateTimeField(_("started"), default=timezone.now)
    status = models.CharField(
        _("status"),
        max_length=2,
        choices=states.SessionStatus.choices,
        default=states.SessionStatus.CREATED,
        editable=False,
    )
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        verbose_name=_("owner"),
        null=True,
        blank=True,
        on_delete=models.SET_NULL,
    )
    last_upload_interaction_time = models.DateTimeField(
        _("last interaction"), default=timezone.now
    )
    # NULL: never expires.
    expires_on = models.DateTimeField(_("expires"), null=True, editable=False)
    reminded_at = models.DateTimeField(_("reminded"), null=True, editable=False)
    fixity_checked_at = models.DateTimeField(null=True, editable=False)
    total_files = models.PositiveIntegerField(_("files"), default=0, editable=False)
    total_size_bytes = models.PositiveBigIntegerField(
        _("size"), default=0, editable=False
    )
    hold_count = models.PositiveIntegerField(default=0, editable=False)  # legal_hold

    objects: ClassVar[UploadSessionManager] = UploadSessionManager()

    class Meta:
        verbose_name = _("upload session")
        verbose_name_plural = _("upload sessions")
        ordering = ["-started_at", "-pk"]
        permissions = policy.PERMISSIONS
        indexes = [
            models.Index(fields=["-started_at", "-id"], name="session_started"),
            models.Index(fields=["status", "-started_at", "-id"], name="session_list"),
            models.Index(fields=["status", "expires_on"], name="session_expiry"),
            models.Index(
                fields=["status", "last_upload_interaction_time", "started_at"],
                name="session_touched",
            ),
            models.Index(fields=["user", "status"], name="session_owner"),
            models.Index(fields=["status", "fixity_checked_at"], name="session_fixity"),
            *(
                models.Index(fields=[column, "id"], name=f"session_by_{name}")
                for name, column in states.SORTED_BY.items()
            ),
            models.Index(fields=["hold_count"], condition=HELD, name="session_held"),
        ]

    def __str__(self) -> str:
        return f"{self.uuid}"

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Save, keeping the stored expiry true to the interaction time.

        An instance may be older than its row: what ``transitions`` and ``tokens`` write
        (``KEPT_BY_OTHERS``) is written here only where it was assigned by hand since
        it was read.
        """
        self.expires_on = self.expires_at
        if self._state.adding:
            super().save(*args, **kwargs)
        else:
            self._save_changes(*args, **kwargs)
        self.note_read()

    def _save_changes(self, *args: Any, **kwargs: Any) -> None:
        if kwargs.get("update_fields") is None:
            names = {field.name for field in self._meta.concrete_fields}
            unchanged = {n for n, v in self._as_read.items() if getattr(self, n) == v}
            kwargs["update_fields"] = names - {"id", *unchanged}
        kwargs["update_fields"] = {*kwargs["update_fields"], "expires_on"}
        with transaction.atomic():
            super().save(*args, **kwargs)
            closed = type(self).objects.filter(pk=self.pk).exclude(status__in=EXPIRING)
            closed.update(expires_on=None)

    def note_read(self) -> None:
        """Note that what others write is in this instance as it is in the row."""
        self._as_read = {
            n: v for n, v in vars(self).items() if n in states.KEPT_BY_OTHERS
        }

    @classmethod
    def from_db(cls, *args: Any, **kwargs: Any) -> Self:
        session = super().from_db(*args, **kwargs)
        session.note_read()
        return session

    def refresh_from_db(self, *args: Any, **kwargs: Any) -> None:
        super().refresh_from_db(*args, **kwargs)
        self.note_read()

    @classmethod
    def new_session(
        cls, user: "AbstractUser | None" = None, enforce_limit: bool = False
    ) -> Self:
        """Start a session for ``user``, who may be None.

        With ``enforce_limit`` the check and the insert are one transaction with the
        user's row locked, so parallel calls cannot pass the limit together. Raise
        ``SessionLimitExceeded`` where the user already has as many open sessions as
        UPLOAD_SESSION_MAX_CONCURRENT_OPEN allows (-1: no limit).
        """
        with transaction.atomic():
            if enforce_limit and user is not None:
                # SQLite has no row locks: there BEGIN IMMEDIATE does the same.
                # request.user is a lazy object, whose type() is no model.
                people = user._meta.model._default_manager
                people.select_for_update().get(pk=user.pk)
                cls._require_room(user)
            session = cls(user=user)
            session.save()
            execution.note_opened(session)
        return session

    @classmethod
    def _require_room(cls, user: "AbstractUser") -> None:
        limit = conf.max_concurrent_open()
        if limit is None:
            return
        count = cls.objects.filter(user=user).still_open().count()
        if count >= limit:
            raise cls.SessionLimitExceeded(
                _(
                    "%(user)s already has %(count)d open upload sessions, and at most "
                    "%(limit)d are allowed. Finish or expire one first."
                )
                % {"user": user, "count": count, "limit": limit}
            )

    @property
    def upload_size(self) -> int:
        """The bytes of all files, temporary and permanent, that exist; 0 if expired.

        Asks the storage for each file: lists read ``total_size_bytes``. Raise
        ``ValueError`` while copying or removing is in progress.
        """
        return sum(file.size for file in listing.existing(self))

    @property
    def file_count(self) -> int:
        """The number of temporary and permanent files that exist; 0 if expired.

        Asks the storage for each file: lists read ``total_files``. Raise
        ``ValueError`` while copying or removing is in progress.
        """
        return len(listing.existing(self))

    @property
    def expires_at(self) -> datetime | None:
        """When the session expires, or None where it never does.

        Only CREATED, UPLOADING and EXPIRED sessions have such a time, and only where
        expiry is switched on.
        """
        after = conf.expire_after()
        if after is None or self.status not in EXPIRING:
            return None
        return self.last_upload_interaction_time + after

    @property
    def is_expired(self) -> bool:
        """Whether the session is EXPIRED or has gone past its expiry."""
        if self.status == states.SessionStatus.EXPIRED:
            return True
        expires_at = self.expires_at
        return expires_at is not None and expires_at < timezone.now()

    @property
    def expires_soon(self) -> bool:
        """Whether the session expires within the reminder time (-1: never)."""
        minutes = conf.expiring_reminder_minutes()
        return minutes is not None and self.expires_within(minutes)

    def expires_within(self, minutes: int) -> bool:
        """Return whether the session expires before ``minutes`` from now."""
        soon = timezone.now() + timedelta(minutes=minutes)
        return self.expires_at is not None and self.expires_at < soon

    def expire(self) -> None:
        """Commit EXPIRED, then remove the temporary files.

        Raise ``ValueError`` unless the session is CREATED or UPLOADING.
        """
        expiry.expire(self)

    def touch(self, save: bool = True) -> None:
        """Reset the interaction time of an open session; others are left alone."""
        if self.status not in states.OPEN:
            return
        if save:
            transitions.touch(self)
        else:
            for name, value in transitions.interaction(timezone.now()).items():
                setattr(self, name, value)

    def add_temp_file(self, file: UploadedFile) -> "TempUploadedFile":
        """Receive ``file`` into temporary storage, durably, and return its row.

        Raise ``ValueError`` where the state, the name policy, a taken name or a limit
        forbids it; then nothing is kept.
        """
        return receive.receive(self, file)

    def remove_temp_file_by_name(self, name: str) -> None:
        """Remove one temporary file; the last one leaves the session CREATED.

        Raise ``ValueError`` unless UPLOADING, ``FileNotFoundError`` where no
        temporary file has that name.
        """
        receive.remove_by_name(self, name)

    def get_file_by_name(self, name: str) -> "BaseUploadedFile":
        """Return the temporary (UPLOADING) or permanent (STORED) file of that name.

        Raise ``ValueError`` in other states, ``FileNotFoundError`` where there is none.
        """
        return listing.by_name(self, name)

    def get_temporary_uploads(self) -> "list[TempUploadedFile]":
        """Return the temporary files that exist; empty when CREATED or STORED.

        Raise ``ValueError`` when expired or while copying or removing.
        """
        return listing.temporary(self)

    def get_permanent_uploads(self) -> "list[PermUploadedFile]":
        """Return the permanent files that exist; empty before the files are stored.

        Raise ``ValueError`` when expired or while copying or removing.
        """
        return listing.permanent(self)

    def get_uploads(self) -> "list[TempUploadedFile] | list[PermUploadedFile]":
        """Return temporary files when UPLOADING, permanent files when STORED.

        Empty when CREATED; raise ``ValueError`` in other states.
        """
        return listing.uploads(self)

    def remove_temp_uploads(self, save: bool = True) -> None:
        """Remove all temporary files, rows first, bytes after the commit.

        Ends CREATED. With ``save`` false only the files go and the status is left to
        the caller. Does nothing when CREATED or while a removal runs. Raise
        ``ValueError`` when expired, copying, stored, or when a failed store has left
        permanent files that this would orphan.
        """
        direct.remove_temporary(self, finish=save)

    def make_uploads_permanent(self) -> None:
        """Store all temporary files; does nothing when already STORED.

        Runs the store job here and now and ends STORED, or COPYING_FAILED with
        ``JobFailed``. Raise ``ValueError`` in other states. A crash leaves a job that
        the watchdog finishes.
        """
        if self.status == states.SessionStatus.STORED:
            logger.info("Session %s is already stored.", self.uuid)
            return
        direct.run_now(self, JobKind.STORE)

    def copy_session_uploads(self, destination: str) -> tuple[list[str], list[str]]:
        """Copy the permanent files into the folder ``destination``, verified.

        Return ``(copied, missing)``: the paths written, and the names of the files
        that are missing or do not match their digest. Ends STORED in any case. Raise
        ``ValueError`` unless STORED, ``FileNotFoundError`` where the folder is missing.
        """
        return direct.copy_to_folder(self, destination)

    def get_quantity_and_unit_of_measure(self) -> str:
        """Return for example "2 PDF files and 1 Image file, totalling 1.20 MB".

        Groups by ACCEPTED_FILE_FORMATS; empty where FILE_UPLOAD_ENABLED is off. Raise
        ``ValueError`` unless CREATED, UPLOADING or STORED.
        """
        return listing.quantity(self)
