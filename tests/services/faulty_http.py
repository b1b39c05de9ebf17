"""An HTTP proxy before an S3 server that does to chosen requests what networks do.

A ``Fault`` waits for requests and is used up. The request's bytes go through as they
are, so that its signature stays right.
"""

import http.client
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

HOP_BY_HOP = {"connection", "transfer-encoding"}
ANSWER = "<Error><Code>{code}</Code><Message>no</Message></Error>"
DEEDS: dict[str, Callable[[bytes], bytes]] = {
    "cut": lambda body: body[: len(body) // 2],
    "flip": lambda body: bytes([body[0] ^ 1]) + body[1:],
}


@dataclass(slots=True)
class Fault:
    """``deed``: "answer" the code, "lose" the answer, "cut" its body, "flip" a byte."""

    method: str
    within: str
    deed: str
    status: int = 503
    code: str = "SlowDown"
    times: int = 1


@dataclass(slots=True)
class Faulty:
    port: int
    faults: list[Fault] = field(default_factory=list)
    seen: list[str] = field(default_factory=list)

    def take(self, method: str, path: str) -> Fault | None:
        self.seen.append(f"{method} {path}")
        for fault in self.faults:
            if fault.times and fault.method == method and fault.within in path:
                fault.times -= 1
                return fault
        return None


@contextmanager
def faulty_proxy(port: int) -> Iterator[Faulty]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(port))
    faulty = Faulty(server.server_address[1])
    server.faulty = faulty  # type: ignore[attr-defined]
    threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
    try:
        yield faulty
    finally:
        server.shutdown()
        server.server_close()


def _handler(upstream: int) -> type[BaseHTTPRequestHandler]:
    return type("Handler", (_Forwarding,), {"upstream": upstream})


class _Forwarding(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    upstream = 0

    def forward(self) -> None:
        if self.headers.get("Expect") == "100-continue":
            self.send_response_only(100)
            self.end_headers()
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        fault = self.server.faulty.take(self.command, self.path)  # type: ignore[attr-defined]
        deed = fault.deed if fault else ""
        if fault is not None and deed == "answer":
            content = ANSWER.format(code=fault.code).encode()
            self._answer(fault.status, {"Content-Length": str(len(content))}, content)
            return
        status, headers, content = self._ask(body)
        if deed in {"lose", "cut"}:
            self.close_connection = True
        if deed != "lose":
            self._answer(status, headers, DEEDS.get(deed, bytes)(content))

    def _ask(self, body: bytes) -> tuple[int, dict[str, str], bytes]:
        connection = http.client.HTTPConnection("127.0.0.1", self.upstream)
        headers = {k: v for k, v in self.headers.items() if k != "Expect"}
        connection.request(self.command, self.path, body, headers)
        response = connection.getresponse()
        content = response.read()
        told = {
            k: v for k, v in response.headers.items() if k.lower() not in HOP_BY_HOP
        }
        told.setdefault("Content-Length", str(len(content)))
        connection.close()
        return response.status, told, content

    def _answer(self, status: int, headers: dict[str, str], body: bytes) -> None:
        self.send_response_only(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    do_GET = do_PUT = do_POST = do_HEAD = do_DELETE = forward

    def log_message(self, *arguments: Any) -> None:
        pass
