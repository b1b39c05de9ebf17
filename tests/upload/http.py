"""Small hands for the HTTP tests: send files, by hand-made bodies too."""

import json
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import OperationalError, connection
from django.http import HttpResponse
from django.test import Client
from django.urls import reverse

from upload.models import UploadSession

BOUNDARY = "a-boundary"
MULTIPART = f"multipart/form-data; boundary={BOUNDARY}"


def files_url(session: UploadSession) -> str:
    return reverse("upload:files", kwargs={"uuid": session.uuid})


def file_part(name: str | bytes, content: bytes = b"alpha", more: str = "") -> bytes:
    """Return one file part whose name stands there as it is."""
    raw = name.encode() if isinstance(name, str) else name
    head = b'Content-Disposition: form-data; name="file"; filename="' + raw + b'"'
    return head + more.encode() + b"\r\n\r\n" + content


def field_part(name: str, value: bytes) -> bytes:
    return f'Content-Disposition: form-data; name="{name}"\r\n\r\n'.encode() + value


def body_of(*parts: bytes, end: bytes = b"--\r\n") -> bytes:
    start = f"--{BOUNDARY}\r\n".encode()
    return b"".join(start + part + b"\r\n" for part in parts) + (
        f"--{BOUNDARY}".encode() + end
    )


def post(client: Client, session: UploadSession, *parts: bytes, **extra: Any) -> Any:
    return post_body(client, session, body_of(*parts), **extra)


def post_body(client: Client, session: UploadSession, body: bytes, **extra: Any) -> Any:
    kind = extra.pop("content_type", MULTIPART)
    return client.generic("POST", files_url(session), body, kind, **extra)


def told(response: HttpResponse) -> tuple[int, str]:
    """Return status and code of a refusal, which must say all three things."""
    answer = json.loads(response.content)
    assert answer["code"] and answer["error"] and answer["hint"]
    return response.status_code, answer["code"]


def nothing_is_kept(session: UploadSession) -> bool:
    """Tell whether neither a row nor a byte of the session is there."""
    session.refresh_from_db()
    return (
        not session.tempuploadedfile_set.exists()
        and session.total_files == 0
        and stored_files("temp") == []
    )


def stored_files(alias: str) -> list[Path]:
    root = Path(settings.STORAGES[alias]["OPTIONS"]["location"])
    return [path for path in root.rglob("*") if path.is_file()]


def random_uuid() -> uuid.UUID:
    return uuid.uuid4()


@contextmanager
def database_locked(statement: str) -> Iterator[None]:
    """Let every statement that begins so fail as a busy database does."""

    def refuse(execute: Any, sql: str, *args: Any) -> Any:
        if sql.startswith(statement):
            raise OperationalError("database is locked")
        return execute(sql, *args)

    with connection.execute_wrapper(refuse):
        yield


def bearer(session: UploadSession) -> dict[str, str]:
    return {"HTTP_AUTHORIZATION": f"Bearer {session.token}"}
