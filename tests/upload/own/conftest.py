"""A sender's session, which holds a file, and its owner's client."""

from typing import Any

import pytest
from django.test import Client

from tests.make import make_session
from upload.models import UploadSession
from upload.states import SessionStatus


@pytest.fixture
def session(uploader: Any) -> UploadSession:
    return make_session(SessionStatus.UPLOADING, {"a.txt": b"alpha"}, user=uploader)


@pytest.fixture
def client(client_for: Any, uploader: Any) -> Client:
    mine: Client = client_for(uploader)
    return mine
