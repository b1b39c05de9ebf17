"""The app's settings, read from Django's at each use: ``conf.settings.NAME``."""

from typing import Any

from django.conf import settings as django_settings

DEFAULTS: dict[str, Any] = {
    "QUEUED_STORAGE_CACHE_PREFIX": "queued_storage",
    # How many attempts may follow the first, and the seconds before the second.
    "QUEUED_STORAGE_RETRIES": 5,
    "QUEUED_STORAGE_RETRY_DELAY": 60,
    # A transfer that is not heard of for so long belongs to a dead worker.
    "QUEUED_STORAGE_LEASE_SECONDS": 60,
    # The django-q2 cluster that moves bytes; None is the default one.
    "QUEUED_STORAGE_CLUSTER": None,
}


class Settings:
    """Each name of ``DEFAULTS`` as an attribute."""

    def __getattr__(self, name: str) -> Any:
        if name not in DEFAULTS:
            raise AttributeError(name)
        return getattr(django_settings, name, DEFAULTS[name])


settings = Settings()
