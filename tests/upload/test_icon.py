"""Every page for people has the same icon, so that no browser looks for another."""

import re
from typing import Any

import pytest
from django.contrib.staticfiles import finders
from django.test import Client
from django.urls import reverse

from tests.make import make_session

pytestmark = pytest.mark.django_db
ICON = re.compile(r'<link rel="icon"[^>]* href="([^"]+)"')


def icon_of(response: Any) -> str:
    found = ICON.search(response.content.decode())
    assert found is not None
    return found[1]


def test_senders_pages_have_the_icon_of_the_admin(
    client_for: Any, uploader: Any, clerk: Any
) -> None:
    session = make_session(user=uploader)
    own = [
        reverse("upload:own_sessions"),
        reverse("upload:own_session", args=[session.uuid]),
        reverse("upload:upload_page", args=[session.uuid]),
    ]

    admin = icon_of(client_for(clerk).get("/admin/"))

    assert {icon_of(client_for(uploader).get(path)) for path in own} == {admin}
    assert icon_of(Client().get("/login/")) == admin
    assert finders.find(admin.removeprefix("/static/"))
