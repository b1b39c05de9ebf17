"""What every test gets: storages of its own, people, a browser, an environment."""

import os
from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from hypothesis import settings as hypothesis_settings

pytest_plugins = ["tests.people", "tests.browsing"]

# Two cores shared by two test processes: a slow example is no failure.
hypothesis_settings.register_profile("shared", deadline=None)
hypothesis_settings.load_profile("shared")


@pytest.fixture(autouse=True)
def storages_in_tmp(settings: Any, tmp_path: Path) -> Path:
    """Keep all bytes of a test below its own folder, which is returned."""
    settings.TEMP_STORAGE_FOLDER = tmp_path / "temp"
    settings.UPLOAD_STORAGE_FOLDER = tmp_path / "uploaded"
    settings.DESTINATION_ROOTS = [tmp_path / "destinations"]
    settings.STORAGES = settings.STORAGES | {
        alias: _moved(settings.STORAGES[alias], tmp_path / alias)
        for alias in ("temp", "uploaded")
    }
    for folder in ("temp", "uploaded", "destinations"):
        (tmp_path / folder).mkdir()
    return tmp_path


def _moved(storage: dict[str, Any], folder: Path) -> dict[str, Any]:
    return storage | {"OPTIONS": storage["OPTIONS"] | {"location": folder}}


@pytest.fixture
def program_environment(
    transactional_db: None, storages_in_tmp: Path
) -> dict[str, str]:
    """Return the environment in which ``manage.py`` works on this test's data."""
    return os.environ | {
        "DJANGO_SETTINGS_MODULE": "portal.settings",
        "DATABASE_URL": _url_of_test_database(),
        "TEMP_STORAGE_FOLDER": str(storages_in_tmp / "temp"),
        "UPLOAD_STORAGE_FOLDER": str(storages_in_tmp / "uploaded"),
        "DESTINATION_ROOTS": str(storages_in_tmp / "destinations"),
    }


def _url_of_test_database() -> str:
    name = connection.settings_dict["NAME"]
    if connection.vendor == "sqlite":
        return f"sqlite:///{name}"
    host = connection.settings_dict["HOST"]
    return f"postgresql://{connection.settings_dict['USER']}:@/{name}?host={host}"
