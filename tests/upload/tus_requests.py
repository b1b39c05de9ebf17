"""Small hands for the tests of resumable uploads: one tus request each."""

import base64
from typing import Any

from django.test import Client
from django.urls import reverse

from upload.models import UploadSession

VERSION = {"HTTP_TUS_RESUMABLE": "1.0.0"}
PIECE = "application/offset+octet-stream"


def b64(text: str | bytes) -> str:
    raw = text.encode() if isinstance(text, str) else text
    return base64.b64encode(raw).decode()


def metadata(**values: str) -> str:
    return ",".join(f"{key} {b64(value)}" for key, value in values.items())


def tus_url(session: UploadSession) -> str:
    return reverse("upload:tus", args=[session.uuid])


def begin(client: Client, session: UploadSession, length: int, **values: str) -> Any:
    values = {"filename": "a.txt"} | values
    return client.post(
        tus_url(session),
        b"",
        content_type="",
        HTTP_UPLOAD_LENGTH=str(length),
        HTTP_UPLOAD_METADATA=metadata(**values),
        **VERSION,
    )


def send(client: Client, url: str, offset: int, data: bytes, **more: Any) -> Any:
    return client.patch(
        url, data, content_type=PIECE, HTTP_UPLOAD_OFFSET=str(offset), **VERSION, **more
    )


def offset_of(client: Client, url: str) -> int:
    return int(client.head(url, **VERSION)["Upload-Offset"])


def content_of(session: UploadSession) -> bytes:
    with session.tempuploadedfile_set.get().file_upload.open() as file:
        return bytes(file.read())
