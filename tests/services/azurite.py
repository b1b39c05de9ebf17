"""Azurite, Microsoft's emulator of Azure Blob Storage, where it is installed by hand.

It weighs 360 MB, so ``install.sh`` leaves it out: ``AZURITE_BLOB`` names its program
``azurite-blob``. The tests that need it are skipped elsewhere; see
docs/queued-storage-remotes.md.
"""

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

ACCOUNT = "ada"
KEY = "a2V5LW9mLXRoZS10ZXN0"  # "key-of-the-test"


@contextmanager
def azurite_server(folder: Path) -> Iterator[str]:
    """Yield a connection string."""
    program = os.environ.get("AZURITE_BLOB")
    if not program:
        pytest.skip("AZURITE_BLOB names no azurite-blob.")
    command = [program, "--blobPort", "0", "--location", str(folder)]
    command += ["--skipApiVersionCheck", "--disableTelemetry"]
    environ = os.environ | {"AZURITE_ACCOUNTS": f"{ACCOUNT}:{KEY}"}
    with subprocess.Popen(
        command,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env=environ,
    ) as process:
        assert process.stdout is not None
        try:
            # "… successfully listens on http://127.0.0.1:41234"
            listening = next(row for row in process.stdout if "listens on" in row)
            url = listening.split()[-1].rstrip("/")
            yield (
                f"DefaultEndpointsProtocol=http;AccountName={ACCOUNT};"
                f"AccountKey={KEY};BlobEndpoint={url}/{ACCOUNT};"
            )
        finally:
            process.kill()
