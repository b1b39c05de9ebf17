"""Many SFTP requests under way at once, with bounded memory and no answer unread.

A server is asked for or given blocks of 32 KiB, the most that each must take.
paramiko's own pipelining drops the errors of the last writes, so it is not used.
"""

from collections import deque
from collections.abc import Iterable, Iterator
from contextlib import suppress
from typing import Any

from paramiko.message import Message
from paramiko.sftp import CMD_READ, CMD_STATUS, CMD_WRITE, int64
from paramiko.sftp_client import SFTPClient

BLOCK_BYTES = 32 << 10
MOST_UNDER_WAY = 64


class Window:
    """Requests under way; their answers are taken in the order of asking."""

    def __init__(self, client: SFTPClient) -> None:
        self._client = client
        self._asked: deque[int] = deque()
        self._early: dict[int, tuple[int, Message]] = {}

    def __len__(self) -> int:
        return len(self._asked)

    def ask(self, kind: int, *arguments: Any) -> None:
        self._asked.append(self._client._async_request(self, kind, *arguments))

    def _async_response(self, kind: int, message: Message, number: int) -> None:
        """Keep an answer that came before its turn; the client calls this."""
        self._early[number] = (kind, message)

    def answer(self) -> Message:
        """Return the oldest request's answer; raise ``OSError`` or ``EOFError``."""
        number = self._asked.popleft()
        if number not in self._early:
            return self._client._read_response(number)[1]
        kind, message = self._early.pop(number)
        if kind == CMD_STATUS:
            self._client._convert_status(message)
        return message


def write(client: SFTPClient, handle: bytes, chunks: Iterable[bytes]) -> None:
    """Write all chunks from the start of an open file; every write was acknowledged."""
    window = Window(client)
    offset = 0
    for block in _blocks(chunks):
        if len(window) >= MOST_UNDER_WAY:
            window.answer()
        window.ask(CMD_WRITE, handle, int64(offset), block)
        offset += len(block)
    while window:
        window.answer()


def _blocks(chunks: Iterable[bytes]) -> Iterator[bytes]:
    for chunk in chunks:
        for start in range(0, len(chunk), BLOCK_BYTES):
            yield chunk[start : start + BLOCK_BYTES]


def read(
    client: SFTPClient, handle: bytes, size_bytes: int, start: int = 0
) -> Iterator[bytes]:
    """Yield what an open file holds, as far as the block of byte ``size_bytes``.

    That block shows whether the file is longer than it should be.
    """
    window = Window(client)
    ahead = iter(range(start, size_bytes + 1, BLOCK_BYTES))
    offsets: deque[int] = deque()
    while True:
        while len(window) < MOST_UNDER_WAY and (next_offset := next(ahead, -1)) >= 0:
            window.ask(CMD_READ, handle, int64(next_offset), BLOCK_BYTES)
            offsets.append(next_offset)
        if not offsets:
            return
        block = _whole_block(client, handle, offsets.popleft(), window)
        yield block
        if len(block) < BLOCK_BYTES:
            break
    while window:
        with suppress(EOFError):
            window.answer()


def _whole_block(
    client: SFTPClient, handle: bytes, offset: int, window: Window
) -> bytes:
    """Return the oldest block; servers may answer a part, so ask for the rest."""
    block = b""
    with suppress(EOFError):
        block = window.answer().get_string()
        while block and len(block) < BLOCK_BYTES:
            rest = Window(client)
            missing = BLOCK_BYTES - len(block)
            rest.ask(CMD_READ, handle, int64(offset + len(block)), missing)
            block += rest.answer().get_string()
    return block
