"""The Django project as an app: it owns the ``User`` model and health pages."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class PortalConfig(AppConfig):
    name = "portal"
    verbose_name = _("People and roles")
    default_auto_field = "django.db.models.BigAutoField"
