"""A connection to an FTP server, with or without TLS, and what its answers mean.

Of an answer only its code is told: servers repeat what they were sent.
"""

import ftplib
import ssl
from collections.abc import Iterable, Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from socket import socket
from typing import Any

from django.utils.translation import gettext as _

from upload.targets.base import refused, unreachable

CONNECT_SECONDS = 10.0
ANSWER_SECONDS = 40.0
READ_BYTES = 256 << 10
NOT_KNOWN = {"500", "501", "502", "504"}
NOT_SIGNED_IN = {"530", "532", "534"}
NOT_THERE = {"450", "550"}


@dataclass(frozen=True, slots=True)
class Address:
    place: str
    host: str
    port: int
    username: str
    password: str = field(repr=False)
    tls: bool = False
    ca_file: str = ""


class SecureFTP(ftplib.FTP_TLS):
    """Data connections go on with the session of the control connection.

    Servers that ask for it so know that both have the same client.
    """

    def ntransfercmd(self, cmd: str, rest: Any = None) -> tuple[Any, int | None]:
        connection, size = super(ftplib.FTP_TLS, self).ntransfercmd(cmd, rest)
        control: Any = self.sock
        try:
            secured = self.context.wrap_socket(
                connection, server_hostname=self.host, session=control.session
            )
        except BaseException:
            connection.close()
            raise
        return secured, size


def dial(address: Address) -> ftplib.FTP:
    """Return a connection, signed in; raise ``OSError`` or ``DestinationRefused``."""
    ftp = _client(address)
    try:
        ftp.connect(address.host, address.port, timeout=CONNECT_SECONDS)
        ftp.timeout = ANSWER_SECONDS
        if ftp.sock is not None:
            ftp.sock.settimeout(ANSWER_SECONDS)
        _sign_in(ftp, address)
    except BaseException:
        ftp.close()
        raise
    return ftp


def _client(address: Address) -> ftplib.FTP:
    if not address.tls:
        return ftplib.FTP()  # noqa: S321 - a place of the operator's choice
    context = ssl.create_default_context(cafile=address.ca_file or None)
    return SecureFTP(context=context)


def _sign_in(ftp: ftplib.FTP, address: Address) -> None:
    try:
        ftp.login(address.username, address.password)
        if isinstance(ftp, ftplib.FTP_TLS):
            ftp.prot_p()
        ftp.voidcmd("TYPE I")
    except ftplib.error_perm:
        # "from None": the answer may repeat the password.
        raise refused(address.place, _("the server refused the login")) from None


def is_alive(ftp: ftplib.FTP) -> bool:
    try:
        ftp.voidcmd("NOOP")
    except (ftplib.Error, EOFError, OSError):
        return False
    return True


def hang_up(ftp: ftplib.FTP) -> None:
    with suppress(OSError):
        ftp.close()


def code_of(error: Exception) -> str:
    return str(error)[:3]


@contextmanager
def told(
    place: str, name: str, at_550: type[OSError] = FileNotFoundError
) -> Iterator[None]:
    """Turn an answer of the server into the ``OSError`` that it stands for.

    550 says that there is no file, and to a writer that it may not.
    """
    try:
        yield
    except ftplib.Error as error:
        code = code_of(error)
        if code in NOT_THERE:
            raise at_550(f"{place}: {name}") from None
        words = _("the server answered %(status)d %(code)s")
        status = int(code) if code.isdigit() else 0
        raise unreachable(place, words % {"status": status, "code": ""}) from None
    except EOFError:
        raise unreachable(place, "EOFError") from None


def send(ftp: ftplib.FTP, path: str, chunks: Iterable[bytes]) -> int:
    """Store a file; return the bytes sent, which are not proved to be held."""
    sent = 0
    try:
        with closing(ftp.transfercmd(f"STOR {path}")) as data:
            for chunk in chunks:
                data.sendall(chunk)
                sent += len(chunk)
            _unwrap(data)
    except BaseException:
        # The answer to STOR comes all the same; unread it would be the next one's.
        with suppress(ftplib.Error, EOFError, OSError):
            ftp.voidresp()
        raise
    ftp.voidresp()
    return sent


def receive(ftp: ftplib.FTP, path: str, start: int) -> Iterator[bytes]:
    with closing(ftp.transfercmd(f"RETR {path}", start or None)) as data:
        while chunk := data.recv(READ_BYTES):
            yield chunk
        _unwrap(data)
    ftp.voidresp()


def lines(ftp: ftplib.FTP, command: str) -> list[str]:
    """Return the lines of a listing.

    Not by ``retrlines``: that leaves the connection in ASCII mode, in which the next
    file would be changed on its way.
    """
    listed = bytearray()
    with closing(ftp.transfercmd(command)) as data:
        while chunk := data.recv(READ_BYTES):
            listed += chunk
        _unwrap(data)
    ftp.voidresp()
    return listed.decode(ftp.encoding, "surrogateescape").splitlines()


def _unwrap(data: socket) -> None:
    if isinstance(data, ssl.SSLSocket):
        # Servers that close first have said all that they had to say.
        with suppress(OSError):
            data.unwrap()


def facts_of(line: str) -> tuple[dict[str, str], str]:
    """Return facts and name of a line of MLST or MLSD (RFC 3659)."""
    facts, _space, name = line.lstrip(" ").partition(" ")
    pairs = (fact.partition("=") for fact in facts.split(";") if fact)
    return {key.lower(): value for key, _equals, value in pairs}, name


def moment_of(text: str) -> datetime | None:
    """Return ``YYYYMMDDHHMMSS[.fff]`` as a time; None for anything else."""
    with suppress(ValueError):
        return datetime.strptime(text[:14], "%Y%m%d%H%M%S").replace(tzinfo=UTC)
    return None
