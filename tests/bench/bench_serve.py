"""Files served behind nginx and by the embedded server, against nginx alone.

One file of 256 MiB over the loopback, by the sample site without TLS; the portal asks
for the permission and logs each time. All three send to the same reader.
"""

import os
import shutil
import tempfile
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

from django.conf import settings
from django.contrib.auth import get_user_model
from django.test import Client

from tests.bench.sessions import medians, session_of
from tests.services.clamav import free_port
from tests.services.waiting import wait_until
from tests.services.web import NAME, SERVER, gunicorn, site
from upload.storage import TempFileStorage, local_path

SIZE = 256 << 20
ALONE = "server {{ listen 127.0.0.1:{port}; root {root}; sendfile on; tcp_nopush on; }}"
type Row = tuple[str, str, str, bool]


def run() -> list[Row]:
    file = session_of(1, SIZE).tempuploadedfile_set.get()
    path = Path(str(local_path(TempFileStorage(), str(file.file_upload.name))))
    folder = Path(tempfile.mkdtemp(prefix="muniment-bench-"))
    try:
        nginx, portal, embedded = _measured(folder, file, path)
    finally:
        shutil.rmtree(folder)
        path.unlink()
    return [
        _row("behind nginx", nginx, portal, 0.9),
        _row("by the embedded server", nginx, embedded, 0.5),
    ]


def _row(how: str, nginx: float, ours: float, least: float) -> Row:
    return (
        f"serve 256 MiB {how}: times as fast as nginx alone",
        f"{nginx / ours:.2f} ({SIZE / (1 << 20) / ours:.0f} MiB/s)",
        f"at least {least}",
        nginx / ours >= least,
    )


def _measured(folder: Path, file: Any, path: Path) -> list[float]:
    environment = os.environ | {
        "DJANGO_SETTINGS_MODULE": "portal.settings",
        "TEMP_STORAGE_FOLDER": str(settings.TEMP_STORAGE_FOLDER),
        "UPLOAD_STORAGE_FOLDER": str(settings.UPLOAD_STORAGE_FOLDER),
    }
    url, cookie = file.get_file_access_url(), _signed_in()
    alone, direct = free_port(), free_port()
    more = ALONE.format(port=alone, root=path.parent)
    (folder / "direct").mkdir()
    embedded = environment | SERVER | {"ACCEL_REDIRECT_PREFIX": "", "HTTPS_ONLY": "0"}
    with (
        site(folder, environment, more, tls=False) as served,
        gunicorn(folder / "direct", embedded, f"127.0.0.1:{direct}") as process,
    ):
        wait_until(lambda: _answers(direct), process)
        return medians(
            lambda: lambda: _fetch(alone, f"/{path.name}", cookie),
            lambda: lambda: _fetch(served.port, url, cookie),
            lambda: lambda: _fetch(direct, url, cookie),
        )


def _signed_in() -> str:
    name = f"bench-{os.getpid()}"
    person = get_user_model().objects.create_superuser(name, password="pw")
    client = Client()
    client.force_login(person)
    key = settings.SESSION_COOKIE_NAME
    return f"{key}={client.cookies[key].value}"


def _answers(port: int) -> bool:
    try:
        return _fetch(port, "/healthz", "") > 0
    except OSError:
        return False


def _fetch(port: int, path: str, cookie: str) -> int:
    """Read an answer to its end and return its length; raise where it is no 200."""
    connection = HTTPConnection("127.0.0.1", port, timeout=60)
    connection.request("GET", path, headers={"Host": NAME, "Cookie": cookie})
    response = connection.getresponse()
    buffer, length = bytearray(1 << 20), 0
    while count := response.readinto(buffer):
        length += count
    connection.close()
    if response.status != 200 or (cookie and length != SIZE):
        raise OSError(f"{path} was answered with {response.status}, {length} bytes.")
    return length
