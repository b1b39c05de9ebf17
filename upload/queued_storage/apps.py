"""The app under a label of its own, so that its migrations have their own numbers."""

from django.apps import AppConfig
from django.core.checks import register
from django.utils.translation import gettext_lazy as _


class QueuedStorageConfig(AppConfig):
    name = "upload.queued_storage"
    label = "queued_storage"
    verbose_name = _("Queued storage")
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from upload.queued_storage.checks import check_storages

        register(check_storages)
