"""Single files on an SFTP server: staged, read in full, looked for, dropped.

Each function is one deed of an open client; ``OSError`` passes as the server gave it.
"""

import stat
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress

from paramiko import SSHException

from upload.copy_engine import (
    SYNC_EVERY_BYTES,
    Beat,
    Hasher,
    Receipt,
    receipt_of,
)
from upload.durable import occupied, taken_over
from upload.paths import unsafe
from upload.targets.sftp_stream import read, write
from upload.targets.ssh import Client

FSYNC = "fsync@openssh.com"


def stage(client: Client, path: str, chunks: Iterable[bytes], beat: Beat) -> Receipt:
    """Write a new file, flushed where the server can; return what was sent."""
    with Hasher() as hasher, client.open(path, "wx") as file:
        heard = _heard(chunks, hasher, beat)
        write(client, file.handle, _flushed(client, file.handle, heard))
        client.extended(FSYNC, file.handle)
    return hasher.receipt()


def _heard(chunks: Iterable[bytes], hasher: Hasher, beat: Beat) -> Iterator[bytes]:
    for chunk in chunks:
        data = bytes(chunk)
        hasher.update(data)
        yield data
        beat(len(data))


def _flushed(client: Client, handle: bytes, chunks: Iterable[bytes]) -> Iterator[bytes]:
    """Pass the chunks on; flush now and then, so that the last time stays short."""
    unsynced = 0
    for chunk in chunks:
        yield chunk
        unsynced += len(chunk)
        if unsynced >= SYNC_EVERY_BYTES:
            client.extended(FSYNC, handle)
            unsynced = 0


def read_file(
    client: Client, path: str, size_bytes: int, start: int = 0
) -> Iterator[bytes]:
    with client.open(path, "r") as file:
        yield from read(client, file.handle, size_bytes, start)


def receipt(client: Client, path: str, size_bytes: int, beat: Beat) -> Receipt:
    return receipt_of(read_file(client, path, size_bytes), beat)


def has(client: Client, path: str) -> bool:
    try:
        client.lstat(path)
    except FileNotFoundError:
        return False
    return True


def place(client: Client, staging: str, final: str) -> bool:
    """Rename without replacing; return False where the name is taken."""
    if has(client, final):
        return False
    try:
        client.rename(staging, final)
    except OSError as error:
        if has(client, final):
            return False
        if not has(client, staging):
            raise taken_over(staging) from error
        raise
    return True


def make_folder(client: Client, path: str) -> None:
    if not has(client, path):
        # Another writer may be first; what stands there is looked at in any case.
        with suppress(OSError):
            client.mkdir(path)
    mode = client.lstat(path).st_mode or 0
    if stat.S_ISLNK(mode):
        raise unsafe(path)
    if not stat.S_ISDIR(mode):
        raise occupied(path)


@contextmanager
def dropped_at_end(client: Client, path: str) -> Iterator[None]:
    """Delete a file that was not renamed; on a lost connection the sweep does it."""
    try:
        yield
    finally:
        with suppress(OSError, SSHException, EOFError):
            client.remove(path)
