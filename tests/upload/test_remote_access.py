"""Files of a real S3 storage: opened, after asking, by a signed URL that soon ends."""

from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import requests

from tests.make import make_session
from tests.services import rclone
from upload.models import AccessLog
from upload.states import SessionStatus

pytestmark = pytest.mark.django_db


@pytest.fixture
def file(settings: Any, tmp_path: Path) -> Any:
    """A stored file whose bytes are on the S3 server."""
    with rclone.s3_server(tmp_path / "s3") as server:
        (server.root / "records").mkdir()
        options = {
            "endpoint_url": f"http://127.0.0.1:{server.port}",
            "bucket_name": "records",
            "access_key": rclone.KEY,
            "secret_key": rclone.SECRET,
            "region_name": "us-east-1",
            "addressing_style": "path",
            "signature_version": "s3v4",
            "file_overwrite": False,
        }
        remote = {"BACKEND": "storages.backends.s3.S3Storage", "OPTIONS": options}
        settings.STORAGES = settings.STORAGES | {"uploaded": remote}
        session = make_session(SessionStatus.STORED, {"議事録.txt": b"alpha"})
        yield session.permuploadedfile_set.get()


def test_a_remote_file_is_opened_by_a_signed_url(
    file: Any, client_for: Any, clerk: Any
) -> None:
    response = client_for(clerk).get(file.get_file_access_url())

    assert response.status_code == 302
    assert response["Cache-Control"] == "private, no-store"
    query = parse_qs(urlsplit(response["Location"]).query)
    assert int(query["X-Amz-Expires"][0]) <= 60
    assert query["response-content-disposition"][0].startswith("attachment; ")
    assert query["response-content-type"] == ["application/octet-stream"]
    assert requests.get(response["Location"], timeout=10).content == b"alpha"
    assert AccessLog.objects.get().action == "download"


def test_a_remote_file_needs_the_same_permission(
    file: Any, client_for: Any, auditor: Any
) -> None:
    response = client_for(auditor).get(file.get_file_access_url())

    assert response.status_code == 403
    assert "Location" not in response
    assert not AccessLog.objects.exists()


def test_a_remote_file_tells_its_size_without_a_url(
    file: Any, client_for: Any, clerk: Any
) -> None:
    response = client_for(clerk).head(file.get_file_access_url())

    assert (response.status_code, response["Content-Length"]) == (200, "5")
