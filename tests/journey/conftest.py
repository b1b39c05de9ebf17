"""The running portal that the journeys take place in, and browsers that visit it."""

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from django.conf import global_settings
from playwright.sync_api import Browser, Page

from tests.journey import steps
from tests.journey.programs import manage, web_server, worker
from tests.people import make_person

SignIn = Callable[[str, str], Page]
WAIT_MS = 10_000
DESKTOP = {"width": 1440, "height": 900}


@pytest.fixture(scope="session")
def static_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Collect the static files as a server does, once a test process."""
    folder = tmp_path_factory.mktemp("portal")
    environment = {
        "DJANGO_SETTINGS_MODULE": "portal.settings",
        "DATA_DIR": str(folder),
    }
    manage(os.environ | environment, "collectstatic", "--noinput")
    return folder


@pytest.fixture
def portal(
    program_environment: dict[str, str], static_folder: Path, tmp_path: Path
) -> Iterator[str]:
    """Return the address of a portal on this test's own data."""
    environment = program_environment | {"DATA_DIR": str(static_folder)}
    with (
        web_server(environment, tmp_path / "web.log") as address,
        worker(environment, tmp_path / "worker.log"),
    ):
        yield address


@pytest.fixture
def sign_in(portal: str, browser: Browser, settings: Any) -> Iterator[SignIn]:
    """Return a function that makes a person of a role and signs them in by the form.

    Each has a browser context of their own, as on a machine of their own.
    """
    # The quick hasher of the tests is unknown to the portal.
    settings.PASSWORD_HASHERS = global_settings.PASSWORD_HASHERS
    contexts = []

    def sign_in_as(username: str, role: str) -> Page:
        make_person(username, role)
        context = browser.new_context(base_url=portal, viewport=DESKTOP)
        contexts.append(context)
        context.set_default_timeout(WAIT_MS)
        page = context.new_page()
        steps.sign_in(page, username, "pw")
        return page

    yield sign_in_as
    for context in contexts:
        context.close()
