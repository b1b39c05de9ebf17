"""Registers the tables under a label of their own."""

from django.apps import AppConfig


class DatabaseStorageConfig(AppConfig):
    name = "upload.queued_storage.remotes.database_app"
    label = "queued_storage_database"
    default_auto_field = "django.db.models.BigAutoField"
