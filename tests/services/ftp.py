"""A real FTP server, pyftpdlib in a thread, with or without TLS."""

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

USER, PASSWORD = "ada", "word-of-the-test"
EVERYTHING = "elradfmwMT"


@dataclass(frozen=True, slots=True)
class Server:
    root: Path
    port: int
    ca_file: str = ""


@contextmanager
def ftp_server(
    folder: Path,
    *,
    tls: bool = False,
    lacking: tuple[str, ...] = (),
    keeps_short: bool = False,
) -> Iterator[Server]:
    """Serve ``folder``/root; commands ``lacking`` are unknown, as in old servers.

    ``keeps_short``: it loses the last byte of each file and says that all is well.
    """
    from pyftpdlib.authorizers import DummyAuthorizer
    from pyftpdlib.ioloop import IOLoop
    from pyftpdlib.servers import FTPServer

    root = folder / "root"
    root.mkdir(parents=True)
    authorizer = DummyAuthorizer()
    authorizer.add_user(USER, PASSWORD, str(root), perm=EVERYTHING)
    certificate = _certificate(folder) if tls else ""
    handler = _handler(certificate, lacking)
    handler.authorizer = authorizer
    if keeps_short:
        handler.on_file_received = lambda _self, file: _shorten(Path(file))
    server = FTPServer(("127.0.0.1", 0), handler, ioloop=IOLoop())
    ended = threading.Event()
    thread = threading.Thread(target=_serve, args=(server, ended), daemon=True)
    thread.start()
    try:
        yield Server(root, server.address[1], certificate)
    finally:
        ended.set()
        thread.join()


def _shorten(path: Path) -> None:
    os.truncate(path, path.stat().st_size - 1)


def _serve(server: Any, ended: threading.Event) -> None:
    while not ended.is_set():
        server.serve_forever(timeout=0.05, blocking=False, handle_exit=False)
    server.close_all()


def _handler(certificate: str, lacking: tuple[str, ...]) -> Any:
    from pyftpdlib.handlers import FTPHandler, TLS_FTPHandler

    kind = TLS_FTPHandler if certificate else FTPHandler
    known = {k: v for k, v in kind.proto_cmds.items() if k not in lacking}
    options = {"proto_cmds": known, "auth_failed_timeout": 0}
    if certificate:
        options |= {
            "certfile": certificate,
            "tls_control_required": True,
            "tls_data_required": True,
        }
    return type("Handler", (kind,), options)


def _certificate(folder: Path) -> str:
    """Write a key and a certificate that it signed itself; return the file."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "test")])
    here = x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder(name, name, key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(here, critical=False)
        .sign(key, hashes.SHA256())
    )
    pem = serialization.Encoding.PEM
    path = folder / "server.pem"
    path.write_bytes(
        key.private_bytes(
            pem,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
        + certificate.public_bytes(pem)
    )
    return str(path)
