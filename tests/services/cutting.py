"""A TCP proxy that cuts a connection after so many bytes, as a bad network does."""

import socket
import struct
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass

# Closes by RST, without waiting for anybody.
ABRUPTLY = struct.pack("ii", 1, 0)


@dataclass(slots=True)
class Cutting:
    """``cut_after``: bytes from the client that still pass; None: all do."""

    port: int
    cut_after: int | None = None
    once: bool = False

    def cut_once_after(self, count: int) -> None:
        """Cut one connection after so many bytes; later ones pass."""
        self.cut_after, self.once = count, True


@contextmanager
def cutting_proxy(port: int) -> Iterator[Cutting]:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        proxy = Cutting(listener.getsockname()[1])
        arguments = (listener, port, proxy)
        threading.Thread(target=_accept, args=arguments, daemon=True).start()
        yield proxy


def _accept(listener: socket.socket, port: int, proxy: Cutting) -> None:
    with suppress(OSError):  # the listener was closed
        while True:
            client, _address = listener.accept()
            server = socket.create_connection(("127.0.0.1", port))
            for start, end, counted in (
                (client, server, True),
                (server, client, False),
            ):
                arguments = (start, end, proxy if counted else None)
                threading.Thread(target=_pump, args=arguments, daemon=True).start()


def _pump(start: socket.socket, end: socket.socket, proxy: Cutting | None) -> None:
    with suppress(OSError):
        while data := start.recv(65536):
            if proxy is not None and proxy.cut_after is not None:
                data = data[: proxy.cut_after]
                proxy.cut_after -= len(data)
                end.sendall(data)
                if proxy.cut_after == 0:
                    proxy.cut_after = None if proxy.once else 0
                    break
            else:
                end.sendall(data)
    for stream in (start, end):
        with suppress(OSError):
            # Wakes the thread that reads the other way: while it waits, nothing closes.
            stream.shutdown(socket.SHUT_RD)
        with suppress(OSError):
            stream.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, ABRUPTLY)
            stream.close()
