"""The app under a label of its own, so that its migrations have their own numbers."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class QueuedStorageConfig(AppConfig):
    name = "upload.queued_storage"
    label = "queued_storage"
    verbose_name = _("Queued storage")
    default_auto_field = "django.db.models.BigAutoField"
