"""A sender's session page says beside the button what submitting still waits for."""

from typing import Any

import pytest
from django.urls import reverse

from tests.make import make_session
from upload.models import InProgressSubmission
from upload.states import SessionStatus

pytestmark = pytest.mark.django_db
EMPTY, FILLED = SessionStatus.CREATED, SessionStatus.UPLOADING


@pytest.mark.parametrize(
    ("status", "title", "said"),
    [
        (EMPTY, None, "Files and a description are missing:"),
        (EMPTY, "Minutes", "Only the files are missing:"),
        (FILLED, None, "Only the description is missing:"),
        (FILLED, " ", "Only the title is missing:"),
        (EMPTY, " ", "Files and a title are missing:"),
    ],
)
def test_the_page_says_what_is_missing(
    client_for: Any, uploader: Any, status: SessionStatus, title: str | None, said: str
) -> None:
    session = make_session(status, user=uploader)
    if title is not None:
        values = {"title": title, "user": uploader, "upload_session": session}
        InProgressSubmission.objects.create(**values)

    response = client_for(uploader).get(
        reverse("upload:own_session", args=[session.uuid])
    )

    page = response.content.decode()
    assert f'id="own-missing">{said}' in page
    assert 'disabled aria-describedby="own-missing">Submit</button>' in page
    assert 'id="own-submit"' not in page


def test_nothing_is_missing_once_it_can_be_submitted(
    client_for: Any, uploader: Any
) -> None:
    session = make_session(FILLED, user=uploader)
    InProgressSubmission.objects.create(
        title="Minutes", user=uploader, upload_session=session
    )

    response = client_for(uploader).get(
        reverse("upload:own_session", args=[session.uuid])
    )

    page = response.content.decode()
    assert 'id="own-submit"' in page
    assert 'id="own-missing"' not in page
