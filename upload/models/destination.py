"""Where sessions are copied to."""

from pathlib import Path
from typing import Any, ClassVar

from django.core.exceptions import ValidationError
from django.db import models, transaction
from django.utils.translation import gettext_lazy as _

from upload import conf
from upload.errors import MunimentError
from upload.models.base import PublicUuid
from upload.querysets import DestinationQuerySet
from upload.targets import FolderTarget, Target


class Destination(PublicUuid):
    """A folder below an allow-listed root that copies are written to."""

    name = models.CharField(_("name"), max_length=100, unique=True)
    folder = models.CharField(
        _("folder"),
        max_length=1024,
        help_text=_("An absolute path below one of the allowed roots."),
    )
    enabled = models.BooleanField(_("enabled"), default=True)
    created_at = models.DateTimeField(_("created"), auto_now_add=True)

    objects: ClassVar[Any] = DestinationQuerySet.as_manager()

    class Meta:
        verbose_name = _("destination")
        verbose_name_plural = _("destinations")
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name

    def target(self) -> Target:
        """Return the adapter that writes there; it checks itself before use."""
        return self._folder_target(identity=str(self.uuid))

    def _folder_target(self, identity: str = "") -> FolderTarget:
        return FolderTarget(
            Path(self.folder),
            allowed_roots=conf.destination_roots(),
            identity=identity,
        )

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Save, then mark the folder as this destination's.

        The marker tells the mounted destination from an empty mount point. Raise
        ``DestinationRefused`` or ``OSError`` where the folder cannot be marked; then
        nothing is saved.
        """
        with transaction.atomic():
            super().save(*args, **kwargs)
            self._folder_target(identity=str(self.uuid)).mark()

    def clean(self) -> None:
        """Refuse a folder that could not be written to, saying why."""
        try:
            self._folder_target().check()
        except (MunimentError, OSError, ValueError) as error:
            raise ValidationError({"folder": str(error)}) from error
