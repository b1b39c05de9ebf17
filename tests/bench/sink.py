"""A WSGI application that writes each body to a new file, and does nothing else.

It neither hashes nor syncs nor looks at what it was sent. ``SINK_FOLDER`` is where.
"""

import os
import tempfile
from collections.abc import Callable, Iterable
from typing import Any

READ_BYTES = 1 << 20


def application(
    environ: dict[str, Any], start_response: Callable[..., Any]
) -> Iterable[bytes]:
    body = environ["wsgi.input"]
    descriptor, _path = tempfile.mkstemp(dir=os.environ["SINK_FOLDER"])
    with os.fdopen(descriptor, "wb") as file:
        while chunk := body.read(READ_BYTES):
            file.write(chunk)
    start_response("201 Created", [("Content-Length", "0")])
    return []
