"""A connection to an SFTP server whose host key is one of those that the settings pin.

The key is compared before anything is sent that could let a stranger in: a changed key
is refused, and an ERROR line in the log tells it.
"""

import logging
import socket
from base64 import b64decode
from collections.abc import Sequence
from typing import Any

from paramiko import AuthenticationException, PKey, SSHException, Transport
from paramiko.message import Message
from paramiko.sftp import CMD_EXTENDED, CMD_INIT, CMD_VERSION, SFTPError
from paramiko.sftp_client import SFTPClient

from upload import wording
from upload.errors import DestinationRefused
from upload.targets.base import refused, unreachable
from upload.wording import gettext as _

logger = logging.getLogger(__name__)

SFTP_VERSION = 3
CONNECT_SECONDS = 10.0
ANSWER_SECONDS = 40.0
# A server that has RSA keys signs with these; "ssh-rsa" itself means SHA-1.
SIGNED_BY = {"ssh-rsa": ("rsa-sha2-512", "rsa-sha2-256")}


class Client(SFTPClient):
    """An SFTP client that knows what its server can do beyond version 3."""

    extensions: frozenset[str] = frozenset()

    def _send_version(self) -> int:
        message = Message()
        message.add_int(SFTP_VERSION)
        self._send_packet(CMD_INIT, message)
        kind, data = self._read_packet()
        if kind != CMD_VERSION:
            raise SFTPError("no version was answered")
        answer = Message(data)
        version = answer.get_int()
        names = []
        while answer.get_remainder():
            names.append(answer.get_text())
            answer.get_binary()
        self.extensions = frozenset(names)
        return int(version)

    def extended(self, name: str, *arguments: Any) -> Message | None:
        """Ask for an extension; None where the server has not announced it."""
        if name not in self.extensions:
            return None
        return self._request(CMD_EXTENDED, name, *arguments)[1]


def connect(place: str, address: tuple[str, int], login: dict[str, Any]) -> Client:
    """Return a client, signed in; ``hang_up`` ends its connection.

    ``login`` has ``host_keys``, ``username`` and ``password`` or ``key_file``. Raise
    ``DestinationRefused`` for another host key or a refused login, otherwise
    ``DestinationUnreachable``.
    """
    pinned = pinned_keys(place, login["host_keys"])
    try:
        stream = socket.create_connection(address, timeout=CONNECT_SECONDS)
    except OSError as error:
        raise unreachable(place, wording.of_error(error)) from error
    transport = Transport(stream)
    try:
        _require_host_key(place, transport, pinned)
        _sign_in(place, transport, login)
        return _opened(transport)
    except BaseException as error:
        transport.close()
        stream.close()  # a transport that was not started yet leaves it open
        if isinstance(error, (OSError, SSHException, EOFError)):
            raise unreachable(place, str(error) or type(error).__name__) from error
        raise


def is_alive(client: Client) -> bool:
    channel = client.get_channel()
    transport = channel.get_transport()
    return not channel.closed and transport is not None and bool(transport.is_active())


def hang_up(client: Client) -> None:
    """End a client's connection, whatever state it is in."""
    transport = client.get_channel().get_transport()
    client.close()
    if transport is not None:
        transport.close()


def pinned_keys(place: str, lines: Sequence[str]) -> dict[bytes, str]:
    """Return type by key of lines as ``ssh-keyscan`` prints them, host name or not.

    Raise ``DestinationRefused`` where none is given or one cannot be read.
    """
    keys = {}
    for line in lines:
        words = line.split()
        at = next((n for n, word in enumerate(words[:-1]) if _is_type(word)), None)
        try:
            key = b64decode(words[at + 1], validate=True) if at is not None else b""
        except ValueError:
            key = b""
        if not key or at is None:
            raise refused(place, _("one of its host_keys is no public key"))
        keys[key] = words[at]
    if not keys:
        raise refused(
            place, _("its host_keys are not set; ssh-keyscan prints those of a server")
        )
    return keys


def _is_type(word: str) -> bool:
    return word.startswith(("ssh-", "ecdsa-", "sk-"))


def _require_host_key(
    place: str, transport: Transport, pinned: dict[bytes, str]
) -> None:
    kinds = [kind for name in pinned.values() for kind in SIGNED_BY.get(name, (name,))]
    try:
        transport.get_security_options().key_types = tuple(dict.fromkeys(kinds))
    except ValueError as error:
        raise refused(place, _("one of its host_keys is of an unknown kind")) from error
    transport.start_client(timeout=CONNECT_SECONDS)
    if transport.get_remote_server_key().asbytes() not in pinned:
        raise _changed_key(place)


def _changed_key(place: str) -> DestinationRefused:
    logger.error("%s: the host key is not one that the settings pin.", place)
    return refused(
        place,
        _(
            "its host key is not one that the settings pin; somebody may be in "
            "between. Ask its administrator before the pinned key is changed"
        ),
    )


def _sign_in(place: str, transport: Transport, login: dict[str, Any]) -> None:
    username, password = login["username"], login["password"]
    transport.auth_timeout = ANSWER_SECONDS
    try:
        if login["key_file"]:
            key = _private_key(place, login["key_file"], password)
            transport.auth_publickey(username, key)
        else:
            transport.auth_password(username, password)
    except AuthenticationException as error:
        raise refused(place, _("the server refused the login")) from error


def _private_key(place: str, path: str, password: str) -> PKey:
    try:
        return PKey.from_path(path, password.encode() or None)
    except (OSError, SSHException, ValueError, TypeError) as error:
        raise refused(
            place,
            _("its key_file cannot be read (%(error)s)")
            % {"error": type(error).__name__},
        ) from error


def _opened(transport: Transport) -> Client:
    client: Client | None = Client.from_transport(transport)
    if client is None:
        raise SSHException("no SFTP channel was opened")
    client.get_channel().settimeout(ANSWER_SECONDS)
    return client
