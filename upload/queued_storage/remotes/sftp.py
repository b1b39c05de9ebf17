"""An SFTP server as a storage: keys pinned, staged, renamed, streamed both ways.

The rooms of ``upload.targets`` speak with the server; see docs/decisions/0007.
"""

import stat
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from posixpath import join
from typing import Any

from django.core.files.base import File
from django.utils.deconstruct import deconstructible

from upload.copy_engine import Receipt, silent, verify
from upload.durable import occupied
from upload.queued_storage.remotes.base import (
    AddressedStorage,
    Facts,
    as_os_errors,
    lacking,
    require_size,
)
from upload.queued_storage.remotes.lines import Lines
from upload.targets.base import new_staging_name, unreachable

try:
    from paramiko import SSHException

    from upload.targets.sftp_files import (
        dropped_at_end,
        make_folder,
        place,
        read_file,
        receipt,
        stage,
    )
    from upload.targets.ssh import Client, connect, hang_up, is_alive
except ImportError as error:
    raise lacking("sftp") from error

SSH_PORT = 22


@deconstructible
class StreamingSFTPStorage(AddressedStorage):
    """The files below ``root``, a folder that exists on the server.

    The options are those of ``SftpTarget`` in docs/destinations.md, and ``base_url``.
    Without ``read_back`` only the size is compared, which takes half the time.
    """

    def __init__(  # noqa: PLR0913 - the OPTIONS of one entry of STORAGES
        self,
        *,
        host: str,
        username: str,
        host_keys: Sequence[str],
        root: str = ".",
        port: int = SSH_PORT,
        password: str = "",
        key_file: str = "",
        base_url: str | None = None,
        read_back: bool = True,
    ) -> None:
        self.base_url = base_url
        self._read_back = self.verifies_writes = read_back
        self.place = f"sftp://{host}:{port}/{root.lstrip('/')}"
        self._root = root
        login = {
            "host_keys": host_keys,
            "username": username,
            "password": password,
            "key_file": key_file,
        }
        where, address = self.place, (host, port)
        self._lines = Lines(lambda: connect(where, address, login), _hang_up, is_alive)

    def close(self) -> None:
        """End idle connections; the next call opens one again."""
        self._lines.close()

    @contextmanager
    def _line(self) -> Iterator[Client]:
        try:
            with as_os_errors(), self._lines.line() as client:
                yield client
        except (SSHException, EOFError) as error:
            reason = str(error) or type(error).__name__
            raise unreachable(self.place, reason) from error

    def _path(self, path: str) -> str:
        return join(self._root, path)

    def _stat(self, path: str) -> Facts:
        with self._line() as client:
            seen = client.lstat(self._path(path))
            if not stat.S_ISREG(seen.st_mode or 0):
                raise IsADirectoryError(path)
        modified = datetime.fromtimestamp(seen.st_mtime or 0, UTC)
        return Facts(seen.st_size or 0, modified)

    def _read(self, path: str, facts: Facts, start: int) -> Iterator[bytes]:
        with self._line() as client:
            yield from read_file(client, self._path(path), facts.size_bytes, start)

    def _put(self, path: str, chunks: Iterable[bytes], content: "File[Any]") -> None:
        staging = self._path(new_staging_name("save"))
        with self._line() as client:
            self._make_folders(client, path)
            with dropped_at_end(client, staging):
                sent = stage(client, staging, chunks, silent)
                require_size(path, sent.size_bytes, client.lstat(staging).st_size)
                self._require_same(client, path, staging, sent)
                if not place(client, staging, self._path(path)):
                    raise occupied(path)

    def _require_same(
        self, client: Client, path: str, staging: str, sent: Receipt
    ) -> None:
        """Read the file back: SFTP servers know no digests."""
        if self._read_back:
            verify(path, sent, receipt(client, staging, sent.size_bytes, silent))

    def _make_folders(self, client: Client, path: str) -> None:
        parts = path.split("/")[:-1]
        for depth in range(1, len(parts) + 1):
            make_folder(client, self._path("/".join(parts[:depth])))

    def _remove(self, path: str) -> None:
        with self._line() as client:
            client.remove(self._path(path))

    def _list(self, path: str) -> tuple[list[str], list[str]]:
        folders: list[str] = []
        files: list[str] = []
        with self._line() as client:
            for seen in client.listdir_attr(self._path(path)):
                is_folder = stat.S_ISDIR(seen.st_mode or 0)
                (folders if is_folder else files).append(seen.filename)
        return folders, files


def _hang_up(client: Client) -> None:
    with suppress(SSHException, EOFError, OSError):
        hang_up(client)
