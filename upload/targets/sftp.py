"""An SFTP server as a target: staged, read back, renamed; nothing is ever replaced.

What the protocol does not promise is asked for where the server offers it: fsync, and
the space left. A rename of version 3 refuses a name that is taken; some servers replace
it all the same, so the name is looked for first. See docs/decisions/0007.
"""

import stat
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from posixpath import join

from django.utils import timezone
from paramiko import SFTPAttributes, SSHException

from upload.copy_engine import Beat, Receipt, silent, verify
from upload.durable import occupied, taken_over
from upload.errors import DestinationUnreachable
from upload.paths import parts_of, unsafe
from upload.targets.base import (
    OWN_NAMES,
    is_staging_of,
    missing,
    new_staging_name,
    refused,
    still,
    unreachable,
)
from upload.targets.remote import RemoteTarget
from upload.targets.sftp_files import (
    FSYNC,
    dropped_at_end,
    make_folder,
    place,
    read_file,
    receipt,
    stage,
)
from upload.targets.ssh import Client, connect, hang_up, is_alive
from upload.wording import gettext as _

STATVFS = "statvfs@openssh.com"
SSH_PORT = 22


class SftpTarget(RemoteTarget):
    """A folder on an SFTP server; see docs/destinations.md for the options.

    ``root`` must exist; relative to where the server lets the login in. ``password``
    opens ``key_file`` where one is given.
    """

    def __init__(  # noqa: PLR0913 - the options of one entry of DESTINATIONS
        self,
        *,
        host: str,
        username: str,
        host_keys: Sequence[str],
        root: str = ".",
        port: int = SSH_PORT,
        password: str = "",
        key_file: str = "",
        identity: str = "",
    ) -> None:
        super().__init__(f"sftp://{host}:{port}/{root.lstrip('/')}", identity)
        self._address = (host, port)
        self._root = root
        self._login = {
            "host_keys": host_keys,
            "username": username,
            "password": password,
            "key_file": key_file,
        }
        self._client: Client | None = None
        self._folders: set[tuple[str, ...]] = set()

    @contextmanager
    def _speaking(self) -> Iterator[Client]:
        """Yield the client, connected; a connection that failed is not used again."""
        try:
            if self._client is None:
                self._client = connect(self.place, self._address, self._login)
            yield self._client
        except (SSHException, EOFError, OSError) as error:
            if self._was_answered(error):
                raise
            self.close()
            if isinstance(error, DestinationUnreachable):
                raise
            reason = str(error) or type(error).__name__
            raise unreachable(self.place, reason) from error

    def _was_answered(self, error: Exception) -> bool:
        """Return whether an error is the server's answer and not the network's."""
        if isinstance(error, (SSHException, EOFError, ConnectionError, TimeoutError)):
            return False
        return self._client is not None and is_alive(self._client)

    def close(self) -> None:
        client, self._client = self._client, None
        if client is not None:
            with suppress(SSHException, EOFError, OSError):
                hang_up(client)

    def _path(self, relative_path: str) -> str:
        return join(self._root, relative_path)

    def _reach(self) -> None:
        self._folders.clear()
        with self._speaking() as client:
            try:
                mode = client.stat(self._root).st_mode or 0
            except FileNotFoundError as error:
                raise missing(self.place) from error
        if not stat.S_ISDIR(mode):
            raise refused(self.place, _("it is not a folder"))

    def check(self) -> None:
        try:
            super().check()
        except PermissionError as error:
            raise refused(self.place, _("it cannot be written to")) from error

    def free_bytes(self) -> int | None:
        with self._speaking() as client:
            answer = client.extended(STATVFS, self._root)
        if answer is None:
            return None
        # f_bsize, f_frsize, f_blocks, f_bfree, f_bavail, …
        _block, fragment, _blocks, _free, available = (
            answer.get_int64() for _field in range(5)
        )
        return int(fragment * available)

    def _size(self, relative_path: str) -> int | None:
        with self._speaking() as client:
            seen = client.lstat(self._path(relative_path))
        return seen.st_size if stat.S_ISREG(seen.st_mode or 0) else None

    def digest(self, relative_path: str, beat: Beat = silent) -> Receipt:
        size_bytes = self._size(relative_path)
        if size_bytes is None:
            raise unsafe(relative_path)
        with self._speaking() as client:
            return receipt(client, self._path(relative_path), size_bytes, beat)

    def _send(
        self,
        relative_path: str,
        chunks: Iterable[bytes],
        expected: Receipt | None,
        staging_prefix: str,
        beat: Beat,
    ) -> Receipt:
        staging = self._path(new_staging_name(staging_prefix))
        final = self._path(relative_path)
        with self._speaking() as client:
            self._make_folders(client, parts_of(relative_path)[:-1])
            with dropped_at_end(client, staging):
                sent = stage(client, staging, chunks, beat)
                verify(relative_path, expected, sent)
                self._read_back(client, staging, sent, beat)
                if place(client, staging, final):
                    return sent
        return self._confirm(relative_path, sent, still(beat))

    def _read_back(
        self, client: Client, staging: str, sent: Receipt, beat: Beat
    ) -> None:
        try:
            held = receipt(client, staging, sent.size_bytes, still(beat))
        except FileNotFoundError as error:
            raise taken_over(staging) from error
        verify(staging, sent, held)

    def _make_folders(self, client: Client, parts: Sequence[str]) -> None:
        """Make the folders that lack; refuse a link or a file on the way."""
        for depth in range(1, len(parts) + 1):
            way = tuple(parts[:depth])
            if way not in self._folders:
                make_folder(client, self._path("/".join(way)))
                self._folders.add(way)

    def drop_staging(self, prefix: str, min_age_seconds: float = 0) -> int:
        before = timezone.now().timestamp() - min_age_seconds
        dropped = 0
        for found in self._own():
            young = min_age_seconds > 0 and (found.st_mtime or 0) > before
            if not young and is_staging_of(found.filename, prefix):
                self.drop_own(found.filename)
                dropped += 1
        return dropped

    def _own(self) -> list[SFTPAttributes]:
        with self._speaking() as client:
            listed = client.listdir_attr(self._root)
        return [found for found in listed if found.filename.startswith(OWN_NAMES)]

    def write_own(self, name: str, content: bytes) -> None:
        staging, final = self._path(new_staging_name("own")), self._path(name)
        with self._speaking() as client, dropped_at_end(client, staging):
            stage(client, staging, [content], silent)
            placed = place(client, staging, final)
        if not placed and self.read_own(name) != content:
            raise occupied(name)

    def read_own(self, name: str) -> bytes:
        size_bytes = self._size(name)
        if size_bytes is None:
            raise unsafe(name)
        with self._speaking() as client:
            return b"".join(read_file(client, self._path(name), size_bytes))

    def list_own(self) -> list[str]:
        return [found.filename for found in self._own()]

    def drop_own(self, name: str) -> None:
        with self._speaking() as client, suppress(FileNotFoundError):
            client.remove(self._path(name))

    def capabilities(self) -> dict[str, bool]:
        with self._speaking() as client:
            return {
                "refuses_to_replace": self._rename_refuses(client),
                "stages": True,
                "syncs": FSYNC in client.extensions,
            }

    def _rename_refuses(self, client: Client) -> bool:
        first, second = (self._path(new_staging_name("probe")) for _n in range(2))
        with dropped_at_end(client, first), dropped_at_end(client, second):
            for path in (first, second):
                stage(client, path, [path.encode()], silent)
            try:
                client.rename(first, second)
            except OSError:
                return True
            return False
