"""The people who use the portal."""

from django.contrib.auth.models import AbstractUser
from django.db import models
from django.utils.translation import gettext_lazy as _

from portal.language import choices


class User(AbstractUser):
    """A person who signs in; rights come from groups, never from code."""

    language = models.CharField(
        _("language"),
        max_length=10,
        blank=True,
        choices=choices,
        help_text=_("Empty means the browser's language."),
    )

    class Meta(AbstractUser.Meta):  # type: ignore[name-defined,misc]
        verbose_name = _("user")
        verbose_name_plural = _("users")
