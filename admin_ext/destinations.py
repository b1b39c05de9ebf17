"""Destinations: set up by whoever has Django's permissions for them."""

from django.contrib import admin
from unfold.admin import ModelAdmin

from upload.models import Destination


@admin.register(Destination)
class DestinationAdmin(ModelAdmin):
    """The model refuses a folder that could not be written to, when it is saved."""

    list_display = ("name", "folder", "enabled", "created_at")
    list_filter = ("enabled",)
    search_fields = ("name", "folder")
    fields = ("name", "folder", "enabled", "uuid", "created_at")
    readonly_fields = ("uuid", "created_at")
    warn_unsaved_form = True
