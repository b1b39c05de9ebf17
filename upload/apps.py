"""The domain core: sessions, files, jobs and the movement of bytes."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class UploadConfig(AppConfig):
    name = "upload"
    verbose_name = _("Records")
    default_auto_field = "django.db.models.BigAutoField"
