"""An FTP server as a storage: staged, measured, renamed, streamed both ways.

FTP has no digests and ends a cut-off file like a whole one, so the size is asked for
and the bytes are read back before the name is given. Without ``tls`` the password
travels readable.
"""

import ftplib
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from posixpath import join
from typing import Any

from django.core.files.base import File
from django.utils.deconstruct import deconstructible

from upload.copy_engine import receipt_of, silent, verify
from upload.durable import occupied
from upload.queued_storage.remotes import ftp_line
from upload.queued_storage.remotes.base import (
    AddressedStorage,
    Facts,
    as_os_errors,
    require_size,
)
from upload.queued_storage.remotes.ftp_line import (
    NOT_KNOWN,
    NOT_THERE,
    Address,
    code_of,
    facts_of,
    moment_of,
)
from upload.queued_storage.remotes.lines import Lines
from upload.targets.base import new_staging_name


@deconstructible
class StreamingFTPStorage(AddressedStorage):
    """The files below ``root``; ``tls`` is FTPS, its certificate checked.

    ``ca_file`` names the certificates to trust where the system's are not enough.
    Without ``read_back`` only the size is compared, which takes half the time.
    """

    def __init__(  # noqa: PLR0913 - the OPTIONS of one entry of STORAGES
        self,
        *,
        host: str,
        username: str,
        password: str = "",
        root: str = "",
        port: int = ftplib.FTP_PORT,
        tls: bool = False,
        ca_file: str = "",
        base_url: str | None = None,
        read_back: bool = True,
    ) -> None:
        self.base_url = base_url
        self._read_back = self.verifies_writes = read_back
        self._root = root
        self.place = f"{'ftps' if tls else 'ftp'}://{host}:{port}/{root.lstrip('/')}"
        address = Address(self.place, host, port, username, password, tls, ca_file)
        self._lines = Lines(
            lambda: ftp_line.dial(address), ftp_line.hang_up, ftp_line.is_alive
        )

    def close(self) -> None:
        """End idle connections; the next call opens one again."""
        self._lines.close()

    @contextmanager
    def _line(
        self, name: str, at_550: type[OSError] = FileNotFoundError
    ) -> Iterator[ftplib.FTP]:
        # Twice: once for what dialling meets, once so that "lines" sees an OSError.
        with (
            ftp_line.told(self.place, name),
            as_os_errors(),
            self._lines.line() as ftp,
            ftp_line.told(self.place, name, at_550),
        ):
            yield ftp

    def _path(self, path: str) -> str:
        return join(self._root, path)

    def _stat(self, path: str) -> Facts:
        with self._line(path) as ftp:
            return _facts(ftp, self._path(path))

    def _read(self, path: str, facts: Facts, start: int) -> Iterator[bytes]:
        with self._line(path) as ftp:
            yield from ftp_line.receive(ftp, self._path(path), start)

    def _put(self, path: str, chunks: Iterable[bytes], content: "File[Any]") -> None:
        final, staging = self._path(path), self._path(new_staging_name("save"))
        with self._line(path, PermissionError) as ftp:
            self._make_folders(ftp, path)
            try:
                sent = ftp_line.send(ftp, staging, chunks)
                require_size(path, sent.size_bytes, _facts(ftp, staging).size_bytes)
                if self._read_back:
                    held = receipt_of(ftp_line.receive(ftp, staging, 0), silent)
                    verify(path, sent, held)
                if _has(ftp, final):
                    raise occupied(path)
                ftp.rename(staging, final)
            except BaseException:
                _drop(ftp, staging)
                raise

    def _make_folders(self, ftp: ftplib.FTP, path: str) -> None:
        parts = path.split("/")[:-1]
        for depth in range(len(parts), 0, -1):
            if _has(ftp, self._path("/".join(parts[:depth]))):
                break
        else:
            depth = 0
        for end in range(depth + 1, len(parts) + 1):
            # Another writer may be first; what lacks then is found by the rename.
            with suppress(ftplib.error_perm):
                ftp.mkd(self._path("/".join(parts[:end])))

    def _remove(self, path: str) -> None:
        with self._line(path) as ftp:
            ftp.delete(self._path(path))

    def _list(self, path: str) -> tuple[list[str], list[str]]:
        folders: list[str] = []
        files: list[str] = []
        with self._line(path) as ftp:
            for kind, name in _listed(ftp, self._path(path)):
                if kind in {"file", "dir"}:
                    (folders if kind == "dir" else files).append(name)
        return folders, files


def _facts(ftp: ftplib.FTP, path: str) -> Facts:
    """Ask by MLST, or by SIZE and MDTM where the server is older than that."""
    try:
        answer = ftp.sendcmd(f"MLST {path}")
    except ftplib.error_perm as error:
        if code_of(error) not in NOT_KNOWN:
            raise
        return _old_facts(ftp, path)
    line = next((row for row in answer.splitlines() if "=" in row), "")
    facts, _name = facts_of(line.removeprefix("250-"))
    if facts.get("type", "file").lower() != "file":
        raise IsADirectoryError(path)
    return Facts(int(facts.get("size", 0)), moment_of(facts.get("modify", "")))


def _old_facts(ftp: ftplib.FTP, path: str) -> Facts:
    size_bytes = ftp.size(path)
    modified = None
    with suppress(ftplib.error_perm):
        modified = moment_of(ftp.sendcmd(f"MDTM {path}").partition(" ")[2])
    return Facts(size_bytes or 0, modified)


def _has(ftp: ftplib.FTP, path: str) -> bool:
    try:
        _facts(ftp, path)
    except ftplib.Error as error:
        if code_of(error) in NOT_THERE:
            return False
        raise
    except IsADirectoryError:
        return True
    return True


def _listed(ftp: ftplib.FTP, path: str) -> Iterator[tuple[str, str]]:
    """Yield kind and name by MLSD, or by LIST as Unix servers print it."""
    read: Callable[[str], tuple[str, str]] = _of_mlsd
    try:
        listed = ftp_line.lines(ftp, f"MLSD {path}")
    except ftplib.error_perm as error:
        if code_of(error) not in NOT_KNOWN:
            raise
        listed, read = ftp_line.lines(ftp, f"LIST {path}"), _of_list
    for line in listed:
        kind, name = read(line)
        if name not in {"", ".", ".."}:
            yield kind, name


def _of_mlsd(line: str) -> tuple[str, str]:
    facts, name = facts_of(line)
    return facts.get("type", "file").lower(), name


def _of_list(line: str) -> tuple[str, str]:
    """Read ``drwxr-xr-x 2 ada ada 4096 Nov 26 11:52 name``."""
    fields = line.split(None, 8)
    kind = {"d": "dir", "-": "file"}.get(line[:1], "other")
    return kind, fields[8] if len(fields) == 9 else ""


def _drop(ftp: ftplib.FTP, staging: str) -> None:
    """Delete what was staged; on a lost connection it stays under its own name."""
    with suppress(ftplib.Error, EOFError, OSError):
        ftp.delete(staging)
