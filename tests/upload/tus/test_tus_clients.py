"""Unmodified tus clients against a real server: killed, cut, and answers lost."""

import hashlib
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
import requests
from tusclient.client import TusClient
from tusclient.exceptions import TusCommunicationError

from tests.codebase import ROOT
from tests.journey.programs import wait_until, web_process, web_server
from tests.make import make_session
from tests.services.cutting import cutting_proxy
from tests.services.system import missing, require_program
from tests.upload.http import stored_files
from upload.models import UploadSession

CONTENT = os.urandom(3 << 20)
CHUNK = 512 << 10
JS_CLIENT = ROOT / ".boot" / "tus"


@pytest.fixture
def session(transactional_db: None, uploader: Any) -> UploadSession:
    return make_session(user=uploader)


@pytest.fixture
def server(program_environment: dict[str, str], tmp_path: Path) -> Iterator[str]:
    with web_server(program_environment, tmp_path / "web.log") as address:
        yield address


def uploader_of(
    address: str, session: UploadSession, url: str | None = None, retries: int = 10
) -> Any:
    """Return tuspy's uploader; with a ``url`` it asks for the offset and goes on."""
    client = TusClient(f"{address}/upload-session/{session.uuid}/tus/")
    client.set_headers({"Authorization": f"Bearer {session.token}"})
    return client.uploader(
        file_stream=BytesIO(CONTENT),
        chunk_size=CHUNK,
        metadata={"filename": "a.rec"},
        url=url,
        retries=retries,
        retry_delay=1,
        upload_checksum=False,
    )


def is_whole(session: UploadSession) -> bool:
    row = session.tempuploadedfile_set.get()
    with row.file_upload.open() as file:
        same = file.read() == CONTENT
    return same and row.sha256 == hashlib.sha256(CONTENT).hexdigest()


@pytest.fixture(autouse=True)
def random_bytes_are_no_known_kind(program_environment: dict[str, str]) -> None:
    program_environment["ACCEPTED_FILE_FORMATS"] = "Record:rec"


def test_tuspy_sends_a_file(server: str, session: UploadSession) -> None:
    uploader_of(server, session).upload()

    assert is_whole(session)


@pytest.mark.parametrize("cut_after", [700, 300_000, 1_000_000, 2_500_000, 3_140_000])
def test_tuspy_goes_on_after_a_cut(
    server: str, session: UploadSession, cut_after: int
) -> None:
    uploading = uploader_of(server, session)
    uploading.upload_chunk()
    with cutting_proxy(int(server.rpartition(":")[2])) as proxy:
        proxy.cut_after = cut_after
        beyond = uploading.url.replace(server, f"http://127.0.0.1:{proxy.port}")
        with suppress(TusCommunicationError, requests.RequestException):
            uploader_of(server, session, beyond, retries=0).upload()

    uploader_of(server, session, uploading.url).upload()

    assert is_whole(session)


@pytest.mark.parametrize("chunks", [0, 1, 3, 5])
def test_tuspy_goes_on_after_the_server_was_killed(
    program_environment: dict[str, str],
    session: UploadSession,
    tmp_path: Path,
    chunks: int,
) -> None:
    with web_process(program_environment, tmp_path / "web.log") as (first, process):
        uploading = uploader_of(first, session)
        uploading.upload_chunk()
        for _number in range(chunks):
            uploading.upload_chunk()
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
    with web_server(program_environment, tmp_path / "again.log") as second:
        uploader_of(second, session, uploading.url.replace(first, second)).upload()

    assert is_whole(session)


def test_a_sender_that_fell_silent_keeps_the_upload_locked_for_seconds_only(
    program_environment: dict[str, str], session: UploadSession, tmp_path: Path
) -> None:
    """F27: its machine lost power, so no packet ever says that it has gone."""
    if sys.platform != "linux":
        pytest.skip("Only Linux lists its locks.")
    program_environment["BODY_TIMEOUT_SECONDS"] = "2"
    with web_server(program_environment, tmp_path / "web.log") as address:
        uploading = uploader_of(address, session)
        uploading.upload_chunk()
        (partial,) = stored_files("temp")
        with silent_after_half_a_piece(uploading.url, session):
            wait_until(lambda: is_locked(partial), 10, "A lock")

            uploader_of(address, session, uploading.url).upload()

    assert is_whole(session)


@contextmanager
def silent_after_half_a_piece(url: str, session: UploadSession) -> Iterator[None]:
    """Begin to send the second piece, and keep the connection open after a half."""
    _scheme, _, rest = url.partition("//")
    place, _, path = rest.partition("/")
    host, _, port = place.partition(":")
    head = (
        f"PATCH /{path} HTTP/1.1\r\nHost: {place}\r\nTus-Resumable: 1.0.0\r\n"
        f"Authorization: Bearer {session.token}\r\nUpload-Offset: {CHUNK}\r\n"
        f"Content-Type: application/offset+octet-stream\r\nContent-Length: {CHUNK}"
        "\r\n\r\n"
    )
    with socket.create_connection((host, int(port))) as connection:
        connection.sendall(head.encode() + CONTENT[CHUNK : CHUNK + CHUNK // 2])
        yield


def is_locked(partial: Path) -> bool:
    """Ask the system, for trying to lock it would be in the sender's way."""
    mark = f":{partial.stat().st_ino} "
    return any(mark in line for line in Path("/proc/locks").read_text().splitlines())


def test_tus_js_client_goes_on_by_itself_after_a_cut(
    server: str, session: UploadSession, tmp_path: Path
) -> None:
    node = require_program("node")
    if not (JS_CLIENT / "node_modules" / "tus-js-client").is_dir():
        missing("tus-js-client is not installed. Run tests/services/install.sh.")
    (tmp_path / "a.rec").write_bytes(CONTENT)
    with cutting_proxy(int(server.rpartition(":")[2])) as proxy:
        proxy.cut_once_after(1_700_000)
        endpoint = f"http://127.0.0.1:{proxy.port}/upload-session/{session.uuid}/tus/"
        ask = [endpoint, session.token, str(tmp_path / "a.rec"), str(CHUNK)]
        command = [node, str(JS_CLIENT / "send.js"), *ask]
        subprocess.run(command, check=True, timeout=60, capture_output=True)

    assert is_whole(session)
