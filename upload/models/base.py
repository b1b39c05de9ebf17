"""What all models share: the public uuid."""

import uuid

from django.db import models
from django.utils.translation import gettext_lazy as _


class PublicUuid(models.Model):
    """Adds the opaque ``uuid`` that stands in URLs, paths and exports."""

    uuid = models.UUIDField(_("UUID"), default=uuid.uuid4, unique=True, editable=False)

    class Meta:
        abstract = True
