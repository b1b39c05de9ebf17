"""Figures of the whole portal, counted now and then so that no page has to."""

from django.db import models
from django.utils.translation import gettext_lazy as _


class Rollup(models.Model):
    """One set of figures and when it was counted; ``upload.rollups`` alone writes it.

    Never the truth: it is counted from the sessions' own rows and may be deleted.
    """

    name = models.CharField(_("name"), max_length=32, unique=True)
    counted_at = models.DateTimeField(_("counted"))
    figures = models.JSONField(_("figures"), default=dict)

    class Meta:
        verbose_name = _("figures")
        verbose_name_plural = _("figures")

    def __str__(self) -> str:
        return self.name
