"""The running portal that the journeys take place in, and browsers that visit it."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from django.conf import global_settings
from playwright.sync_api import Browser, Page

from tests.journey import steps
from tests.journey.programs import manage, running_portal
from tests.people import make_person

SignIn = Callable[[str, str], Page]


@pytest.fixture(scope="session")
def static_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Collect the static files as a server does, once a test process."""
    folder = tmp_path_factory.mktemp("journey")
    manage(_settings(folder), "collectstatic", "--noinput")
    return folder


def _settings(folder: Path) -> dict[str, str]:
    import os

    return os.environ | {
        "DJANGO_SETTINGS_MODULE": "portal.settings",
        "DATA_DIR": str(folder),
    }


@pytest.fixture
def portal(
    program_environment: dict[str, str], static_folder: Path, tmp_path: Path
) -> Iterator[str]:
    """Return the address of a portal on this test's own data."""
    environment = program_environment | {"DATA_DIR": str(static_folder)}
    with running_portal(environment, tmp_path / "portal.log") as address:
        yield address


@pytest.fixture
def sign_in(portal: str, browser: Browser, settings: Any) -> Iterator[SignIn]:
    """Return a function that makes a person and signs them in by the form.

    Each person has a browser context, as on a machine of their own.
    """
    settings.PASSWORD_HASHERS = global_settings.PASSWORD_HASHERS
    contexts = []

    def sign_in_as(username: str, role: str) -> Page:
        make_person(username, role)
        context = browser.new_context(base_url=portal, accept_downloads=True)
        contexts.append(context)
        page = context.new_page()
        steps.sign_in(page, username, "pw")
        return page

    yield sign_in_as
    for context in contexts:
        context.close()
