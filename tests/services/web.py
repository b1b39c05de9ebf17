"""The portal as on a server: gunicorn on a socket, deploy/nginx.conf before it.

The sample site is used as it stands; only its paths and ports are of this test.
"""

import getpass
import os
import ssl
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPResponse, HTTPSConnection
from pathlib import Path
from typing import Any

from tests.codebase import ROOT
from tests.services.clamav import free_port
from tests.services.system import require_program
from tests.services.waiting import wait_until

NAME = "records.example"
ACCEL = "ACCEL_REDIRECT_PREFIX"
MAIN = """\
{user}
daemon off;
pid {folder}/nginx.pid;
error_log {folder}/error.log;
events {{}}
http {{
    access_log off;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    {more}
    include {folder}/site.conf;
}}
"""
SERVER = {
    "WEB_CONCURRENCY": "1",
    "HTTPS_ONLY": "1",
    "BEHIND_TLS_PROXY": "1",
    "ALLOWED_HOSTS": f"{NAME},127.0.0.1",
    "CSRF_TRUSTED_ORIGINS": f"https://{NAME}",
    ACCEL: "/protected",
}


@dataclass(frozen=True, slots=True)
class Site:
    """Asks as a browser does that trusts the certificate; ``cookie`` signs in."""

    port: int
    certificate: Path
    socket: Path
    tls: bool = True

    @property
    def url(self) -> str:
        return f"https://127.0.0.1:{self.port}"

    def connection(self) -> HTTPConnection:
        if not self.tls:
            return HTTPConnection("127.0.0.1", self.port, timeout=30)
        trust = ssl.create_default_context(cafile=str(self.certificate))
        return HTTPSConnection("127.0.0.1", self.port, context=trust, timeout=30)

    def ask(
        self, path: str, method: str = "GET", body: bytes | None = None, **headers: str
    ) -> "tuple[HTTPResponse, bytes]":
        """Return the response, read to its end; ``_`` in a header's name is ``-``."""
        connection = self.connection()
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        try:
            connection.request(method, path, body, {"Host": NAME} | named)
            response = connection.getresponse()
            return response, response.read()
        finally:
            connection.close()


@contextmanager
def gunicorn(
    folder: Path, environment: dict[str, str], bind: str = "", app: str = ""
) -> "Iterator[subprocess.Popen[Any]]":
    """Run the web server on ``<folder>/web.sock``, or where ``bind`` says.

    ``app`` is another WSGI application than the portal, for example ``module:name``.
    """
    config = ["-c", str(ROOT / "deploy/gunicorn.conf.py")]
    address = bind or f"unix:{folder}/web.sock"
    command = [sys.executable, "-m", "gunicorn", *config, "--bind", address]
    command += [app] if app else []
    with (folder / "gunicorn.log").open("wb") as log:
        process = subprocess.Popen(
            command, cwd=ROOT, env=environment, stdout=log, stderr=log
        )
    try:
        yield process
    finally:
        process.terminate()
        process.wait()


@contextmanager
def site(
    folder: Path, environment: dict[str, str], more: str = "", *, tls: bool = True
) -> Iterator[Site]:
    """Serve the portal by nginx; ``more`` goes into the http block as it is.

    Without ``tls``, for measuring, the portal is told that there was some.
    """
    program = require_program("nginx", "/usr/sbin/nginx")
    folder.mkdir(parents=True, exist_ok=True)
    certificate = _make_certificate(folder)
    port = free_port()
    text = _adapted(folder, port, environment)
    if not tls:
        text = text.replace(" ssl http2;", ";").replace("$scheme;", "https;")
    (folder / "site.conf").write_text(text)
    user = f"user {getpass.getuser()};" if os.geteuid() == 0 else ""
    main = MAIN.format(folder=folder, user=user, more=more)
    (folder / "nginx.conf").write_text(main)
    served = Site(port, certificate, folder / "web.sock", tls)
    accel = environment.get(ACCEL, SERVER[ACCEL])  # empty: the portal sends itself
    with gunicorn(folder, environment | SERVER | {ACCEL: accel}):
        command = [program, "-c", str(folder / "nginx.conf"), "-e", os.devnull]
        process = subprocess.Popen(command, stderr=subprocess.DEVNULL)
        try:
            wait_until(lambda: _is_up(served), process)
            yield served
        finally:
            process.terminate()
            process.wait()


def _is_up(served: Site) -> bool:
    with suppress(OSError):
        return served.ask("/healthz")[0].status == 200
    return False


def _adapted(folder: Path, port: int, environment: dict[str, str]) -> str:
    """Return the sample site with this test's paths and ports."""
    changes = {
        "listen 80;": f"listen 127.0.0.1:{free_port()};",
        "listen 443 ssl http2;": f"listen 127.0.0.1:{port} ssl http2;",
        "/etc/ssl/records.example": f"{folder}/records.example",
        "/run/muniment/web.sock": f"{folder}/web.sock",
        "/var/lib/muniment/temp/": f"{environment['TEMP_STORAGE_FOLDER']}/",
        "/var/lib/muniment/uploaded/": f"{environment['UPLOAD_STORAGE_FOLDER']}/",
        "include muniment-protected": f"include {ROOT}/deploy/nginx-protected",
    }
    text = (ROOT / "deploy/nginx.conf").read_text(encoding="utf-8")
    for theirs, ours in changes.items():
        if theirs not in text:
            raise LookupError(f"deploy/nginx.conf has no {theirs!r} any more.")
        text = text.replace(theirs, ours)
    return text


def _make_certificate(folder: Path) -> Path:
    openssl = require_program("openssl")
    certificate = folder / f"{NAME}.crt"
    names = f"subjectAltName=DNS:{NAME},IP:127.0.0.1"
    command = [openssl, "req", "-x509", "-newkey", "ec", "-nodes", "-days", "2"]
    command += ["-pkeyopt", "ec_paramgen_curve:prime256v1", "-subj", f"/CN={NAME}"]
    command += ["-addext", names, "-out", str(certificate)]
    command += ["-keyout", str(folder / f"{NAME}.key")]
    subprocess.run(command, check=True, capture_output=True)
    return certificate
