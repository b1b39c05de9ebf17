"""The portal as a server of its own, and clients that send files into it.

Bodies are made while they are sent, from one random block, so that a client needs no
memory and no disk for them.
"""

import json
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from http.client import HTTPConnection
from pathlib import Path
from typing import Any
from uuid import uuid4

from django.conf import settings

from tests.services.clamav import free_port
from tests.services.waiting import wait_until
from tests.services.web import NAME, SERVER, gunicorn
from upload.models import UploadSession
from upload.storage import TempFileStorage

# Its beginning is no file format, which random bytes are now and then.
START_OF_BLOCK = b"muniment bench\n"
BLOCK = START_OF_BLOCK + os.urandom((1 << 20) - len(START_OF_BLOCK))
BOUNDARY = "bench-boundary"
START = (
    f"--{BOUNDARY}\r\nContent-Disposition: form-data; "
    'name="file"; filename="{name}"\r\n\r\n'
)
END = f"\r\n--{BOUNDARY}--\r\n".encode()


@dataclass(frozen=True, slots=True)
class Server:
    """Where it listens, and the process that started its workers."""

    port: int
    process: int

    def tus_url(self, session: UploadSession) -> str:
        return f"http://127.0.0.1:{self.port}/upload-session/{session.uuid}/tus/"


@contextmanager
def portal(**more: str) -> Iterator[Server]:
    """Serve the portal, one worker process, on the bench's database and folders."""
    environment = os.environ | {
        "DJANGO_SETTINGS_MODULE": "portal.settings",
        "TEMP_STORAGE_FOLDER": str(settings.TEMP_STORAGE_FOLDER),
        "UPLOAD_STORAGE_FOLDER": str(settings.UPLOAD_STORAGE_FOLDER),
        "ACCEPTED_FILE_FORMATS": "Record:rec",
    }
    plain = {"ACCEL_REDIRECT_PREFIX": "", "HTTPS_ONLY": "0"}
    with _server(environment | SERVER | plain | more, "") as server:
        yield server


@contextmanager
def sink(folder: Path) -> Iterator[Server]:
    """Serve ``tests.bench.sink`` by the same server in the same shape."""
    environment = os.environ | SERVER | {"SINK_FOLDER": str(folder)}
    with _server(environment, "tests.bench.sink:application") as server:
        yield server


@contextmanager
def _server(environment: dict[str, str], app: str) -> Iterator[Server]:
    folder, port = Path(tempfile.mkdtemp(prefix="muniment-bench-")), free_port()
    try:
        with gunicorn(folder, environment, f"127.0.0.1:{port}", app) as process:
            wait_until(lambda: _answers(port), process)
            yield Server(port, process.pid)
    finally:
        shutil.rmtree(folder)


def _answers(port: int) -> bool:
    with suppress(OSError):
        connection = HTTPConnection("127.0.0.1", port, timeout=60)
        connection.request("GET", "/healthz", headers={"Host": NAME})
        return connection.getresponse().status < 500
    return False


def new_session() -> UploadSession:
    """Return a session whose token opens it: its owner may upload."""
    from django.contrib.auth import get_user_model

    people: Any = get_user_model()._default_manager
    person = people.create_superuser(f"bench-{uuid4().hex}")
    return UploadSession.new_session(user=person)


def forget(session: UploadSession) -> None:
    """Drop the bytes that a session holds, so that no run fills the disk."""
    storage = TempFileStorage()
    for file in session.tempuploadedfile_set.all():
        storage.delete(str(file.file_upload.name))


class Sender:
    """One connection, kept open, that posts files into one session."""

    def __init__(self, server: Server, session: UploadSession) -> None:
        self._connection = HTTPConnection("127.0.0.1", server.port, timeout=600)
        self._connection.connect()
        self._path = f"/upload-session/{session.uuid}/files/"
        self._headers = {
            "Host": NAME,
            "Authorization": f"Bearer {session.token}",
            "Content-Type": f"multipart/form-data; boundary={BOUNDARY}",
        }

    def send(self, size_bytes: int) -> None:
        """Post one file; raise where it was not kept."""
        start = START.format(name=f"{uuid4()}.rec").encode()
        length = len(start) + size_bytes + len(END)
        told = self._headers | {"Content-Length": str(length)}
        self._connection.request("POST", self._path, _body(start, size_bytes), told)
        response = self._connection.getresponse()
        answer = response.read()
        if response.status != 201:
            raise OSError(f"{response.status}: {answer[:500]!r}")
        if answer and json.loads(answer)["kept"] != 1:
            raise OSError(f"The file was not kept: {answer[:500]!r}")

    def close(self) -> None:
        self._connection.close()


def _body(start: bytes, size_bytes: int) -> Iterator[bytes]:
    if size_bytes <= len(BLOCK):  # one packet, as a client with the file at hand
        yield start + BLOCK[:size_bytes] + END
        return
    yield start
    for at in range(0, size_bytes, len(BLOCK)):
        yield BLOCK[: min(len(BLOCK), size_bytes - at)]
    yield END
