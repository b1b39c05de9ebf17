"""Where sessions are copied to."""

from contextlib import closing, suppress
from pathlib import Path
from typing import Any, ClassVar

from django.core.exceptions import ImproperlyConfigured, ValidationError
from django.db import models, transaction
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from upload import conf
from upload.errors import DestinationRefused, MunimentError
from upload.models.base import PublicUuid
from upload.querysets import DestinationQuerySet
from upload.targets import MARKER, FolderTarget, Target
from upload.targets.aliases import target_of_alias
from upload.wording import of_error, shown


class Destination(PublicUuid):
    """A place that copies are written to: a folder, or an alias of the settings.

    The folder lies below an allow-listed root. The alias is one of ``DESTINATIONS``,
    where hosts and secrets stand; no row holds one. ``last_probe`` is what
    ``upload.probe`` found.
    """

    class Layout(models.TextChoices):
        """What stands in the session's folder there."""

        PLAIN = "plain", _("Plain files")
        BAG = "bag", _("BagIt bag")

    name = models.CharField(_("name"), max_length=100, unique=True)
    folder = models.CharField(
        _("folder"),
        max_length=1024,
        blank=True,
        help_text=_("An absolute path below one of the allowed roots."),
    )
    alias = models.CharField(
        _("alias"),
        max_length=100,
        blank=True,
        help_text=_("In place of a folder: a destination that the settings name."),
    )
    layout = models.CharField(
        _("layout"), max_length=8, choices=Layout.choices, default=Layout.PLAIN
    )
    enabled = models.BooleanField(_("enabled"), default=True)
    created_at = models.DateTimeField(_("created"), auto_now_add=True)
    last_probed_at = models.DateTimeField(_("last probed"), null=True, editable=False)
    last_probe = models.JSONField(
        _("last probe"), default=dict, blank=True, editable=False
    )

    objects: ClassVar[Any] = DestinationQuerySet.as_manager()

    class Meta:
        verbose_name = _("destination")
        verbose_name_plural = _("destinations")
        ordering = ["name"]
        constraints = [
            models.CheckConstraint(
                name="destination_folder_or_alias",
                condition=models.Q(folder="") ^ models.Q(alias=""),
                violation_error_message=_("Give either a folder or an alias."),
            )
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def root(self) -> str:
        """What records of copies call the place: the folder, or ``alias:<alias>``."""
        return f"alias:{self.alias}" if self.alias else self.folder

    @property
    def probe_error_shown(self) -> str:
        """Why the last probe failed, in the language of whoever reads it now."""
        found = self.last_probe
        return shown(found.get("error", ""), found.get("error_told"))

    def target(self) -> Target:
        """Return the adapter that writes there; it checks itself before use.

        Raise ``DestinationRefused`` where the settings do not lead to one.
        """
        return self._target(str(self.uuid))

    def _target(self, identity: str) -> Target:
        if not self.alias:
            return FolderTarget(Path(self.folder), conf.destination_roots(), identity)
        try:
            return target_of_alias(self.alias, identity)
        except ImproperlyConfigured as error:
            raise DestinationRefused(of_error(error)) from error

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Save, then mark the place as this destination's.

        The marker tells the mounted destination from an empty mount point. Raise
        ``DestinationRefused`` or ``OSError`` where it cannot be marked; then nothing is
        saved. One that is switched off need not be there.
        """
        must_be_there = self._must_be_there()
        with transaction.atomic():
            super().save(*args, **kwargs)
            if must_be_there:
                with closing(self.target()) as target:
                    target.mark()

    def _must_be_there(self) -> bool:
        same = Destination.objects.filter(
            pk=self.pk, folder=self.folder, alias=self.alias
        )
        return self.enabled or not same.exists()

    def clean(self) -> None:
        """Refuse a place that could not be written to, saying why."""
        if bool(self.folder) == bool(self.alias) or not self._must_be_there():
            return
        try:
            with closing(self._target("")) as target:
                target.check()
                self._require_own_marker(target)
        except (MunimentError, OSError, ValueError) as error:
            field = "alias" if self.alias else "folder"
            raise ValidationError({field: str(error)}) from error

    def _require_own_marker(self, target: Target) -> None:
        with suppress(FileNotFoundError):
            if target.read_own(MARKER) != str(self.uuid).encode():
                raise DestinationRefused(
                    gettext(
                        "The place is marked as another destination. Choose another."
                    )
                )
