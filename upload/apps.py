"""The domain core: sessions, files, jobs and the movement of bytes."""

from django.apps import AppConfig
from django.db.models.signals import post_migrate, post_save
from django.utils.translation import gettext_lazy as _


class UploadConfig(AppConfig):
    name = "upload"
    verbose_name = _("Records")
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from upload import name_index

        for model in name_index.INDEXES:
            post_save.connect(name_index.note_saved, sender=model)
        post_migrate.connect(name_index.note_migrated, sender=self)
