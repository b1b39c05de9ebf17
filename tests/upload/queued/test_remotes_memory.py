"""Memory stays flat: a file of 300 MiB costs no more than one of 40 MiB."""

from pathlib import Path

import pytest

from tests.upload.queued.remotes import KINDS, entry_of
from tests.upload.queued.streaming import measure

LONG_MIB, MOST_MIB = 300, 64
# One server of each kind is enough; PouchDB keeps all it gets in memory.
STREAMING = sorted(set(KINDS) - {"sftp-rclone", "ftp-old", "couchdb"})


@pytest.mark.parametrize("kind", STREAMING)
def test_memory_stays_flat(
    kind: str, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    growth_mib, _save, _read = measure(entry_of(kind, request), LONG_MIB, tmp_path)

    assert growth_mib <= MOST_MIB
