"""gcp-storage-emulator in a process of its own: an emulator, not Google's server.

It knows no ``ifGenerationMatch``, so it does not decide between two writers.
"""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec

from tests.services.system import missing

SCRIPT = """
from functools import partial
from http.server import ThreadingHTTPServer
from gcp_storage_emulator.server import RequestHandler
from gcp_storage_emulator.storage import Storage

handler = partial(RequestHandler, Storage(use_memory_fs=True))
server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
print(server.server_port, flush=True)
server.serve_forever()
"""


@contextmanager
def gcs_server() -> Iterator[str]:
    """Yield the server's URL."""
    if find_spec("gcp_storage_emulator") is None:
        missing("gcp-storage-emulator is not installed. Run make dev.")
    command = [sys.executable, "-c", SCRIPT]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    ) as process:
        assert process.stdout is not None
        try:
            yield f"http://127.0.0.1:{int(process.stdout.readline())}"
        finally:
            process.kill()
