"""Small hands for the tests of a sender's own pages."""

from typing import Any

from django.urls import reverse

from upload.models import UploadSession

SAID = {"title": "Minutes 1998", "source": "Board", "extent": "2 files"}


def address(session: UploadSession, name: str = "own_session") -> str:
    return reverse(f"upload:{name}", args=[session.uuid])


def text_of(response: Any) -> str:
    return str(response.content.decode())
