"""What models share: the public uuid, and an error for rows that are gone."""

import uuid
from typing import Any

from django.db import DatabaseError, models
from django.utils.translation import gettext_lazy as _

from upload.errors import ObjectNotUpdated
from upload.wording import kept, shown

NO_ROWS = "did not affect any rows"


class PublicUuid(models.Model):
    """Adds the opaque ``uuid`` that stands in URLs, paths and exports."""

    uuid = models.UUIDField(_("UUID"), default=uuid.uuid4, unique=True, editable=False)

    class Meta:
        abstract = True


class NotesError(models.Model):
    """Keeps why something failed, and what the text was made of where it is ours."""

    error = models.TextField(_("error"), blank=True)
    # As in upload.wording; NULL: the text is another's, or older than this column.
    error_told = models.JSONField(null=True, editable=False)

    class Meta:
        abstract = True

    @property
    def error_shown(self) -> str:
        """The error in the language of whoever reads it now."""
        return shown(self.error, self.error_told)

    @property
    def error_kept(self) -> str:
        """The error as it was written, for another text to hold."""
        return kept(self.error, self.error_told)


class TellsNotUpdated(models.Model):
    """Gives each model the ``NotUpdated`` that Django has from 6.0 on.

    ``save()`` raises it, instead of a plain ``DatabaseError``, where an update was
    asked for and the row is not there any more.
    """

    class NotUpdated(ObjectNotUpdated, DatabaseError):
        pass

    class Meta:
        abstract = True

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        cls.NotUpdated = type(  # type: ignore[misc,assignment]
            "NotUpdated",
            (ObjectNotUpdated, DatabaseError),
            {
                "__module__": cls.__module__,
                "__qualname__": f"{cls.__qualname__}.NotUpdated",
            },
        )

    def save(self, *args: Any, **kwargs: Any) -> None:
        try:
            super().save(*args, **kwargs)
        except DatabaseError as error:
            if NO_ROWS not in str(error):
                raise
            raise self.NotUpdated(str(error)) from error
