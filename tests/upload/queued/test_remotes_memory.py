"""Memory stays flat: a file of 256 MiB costs hardly more than one of 40 MiB.

``python -m tests.bench remotes`` does the same with 5 GiB, and with more storages.
"""

from pathlib import Path

import pytest

from tests.upload.queued.remotes import entry_of
from tests.upload.queued.streaming import measure

LONG_MIB, MOST_MIB = 256, 64


@pytest.mark.parametrize("kind", ["s3", "sftp", "ftp"])
def test_memory_stays_flat(
    kind: str, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    growth_mib, _save, _read = measure(entry_of(kind, request), LONG_MIB, tmp_path)

    assert growth_mib <= MOST_MIB
