"""Chromium for the tests that look at pages as a person does.

One browser a test process, started when first used; one fresh context a page. Tests
that use it are marked ``browser`` by themselves.
"""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.conf import settings
from playwright.sync_api import Browser, Page, sync_playwright

from portal.models import User
from tests.people import ClientFor
from tests.services.system import require_program

PageFor = Callable[..., Page]
ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-dev-shm-usage",
]


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if "browser" in getattr(item, "fixturenames", ()):
            item.add_marker("browser")


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    path = require_program("chromium", "chromium-browser", "google-chrome")
    with pytest.MonkeyPatch.context() as patch, sync_playwright() as playwright:
        # Playwright keeps an event loop in this thread; the ORM is still used in turn.
        patch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "true")
        browser = playwright.chromium.launch(executable_path=path, args=ARGUMENTS)
        yield browser
        browser.close()


@pytest.fixture
def page_for(
    browser: Browser, live_server: Any, client_for: ClientFor
) -> Iterator[PageFor]:
    """Return a function that opens a page of the live server, signed in or not.

    Paths such as ``/admin/`` are enough for ``page.goto``. Keyword arguments go to the
    browser's context, for example ``locale="ja"``.
    """
    contexts = []

    def open_page(person: User | None = None, **options: Any) -> Page:
        context = browser.new_context(base_url=live_server.url, **options)
        contexts.append(context)
        if person is not None:
            cookie = client_for(person).cookies[settings.SESSION_COOKIE_NAME].value
            context.add_cookies(
                [
                    {
                        "name": settings.SESSION_COOKIE_NAME,
                        "value": cookie,
                        "url": live_server.url,
                    }
                ]
            )
        return context.new_page()

    yield open_page
    for context in contexts:
        context.close()
