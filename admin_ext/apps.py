"""Everything that an operator sees in the admin."""

from django.apps import AppConfig


class AdminExtConfig(AppConfig):
    name = "admin_ext"
