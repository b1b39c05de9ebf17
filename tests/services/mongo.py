"""mongoeco, an emulator of MongoDB's wire protocol, where it is installed by hand.

It weighs 140 MB, so it is not in the lock: ``MONGOECO_PYTHON`` names a Python that has
it. The tests that need it are skipped elsewhere; see docs/queued-storage-remotes.md.
"""

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

SCRIPT = """
import asyncio
from mongoeco.wire import AsyncMongoEcoProxyServer

async def main():
    async with AsyncMongoEcoProxyServer() as server:
        print(server.address.port, flush=True)
        await asyncio.Event().wait()

asyncio.run(main())
"""


@contextmanager
def mongo_server() -> Iterator[str]:
    """Yield the server's URI."""
    python = os.environ.get("MONGOECO_PYTHON")
    if not python:
        pytest.skip("MONGOECO_PYTHON names no Python with mongoeco.")
    process = subprocess.Popen(
        [python, "-c", SCRIPT], stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    try:
        port = int(process.stdout.readline())
        yield f"mongodb://127.0.0.1:{port}/?directConnection=true"
    finally:
        process.kill()
        process.wait()
        process.stdout.close()
