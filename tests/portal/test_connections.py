"""Connections to the database live longer than a request."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.codebase import ROOT

TOLD = "from portal.settings import DATABASES; print(DATABASES['default'])"


@pytest.mark.parametrize("kind", ["sqlite:///{}/x.sqlite3", "postgresql://u@h/x"])
def test_a_connection_is_kept_between_requests(kind: str, tmp_path: Path) -> None:
    """SQLite writes its whole log back whenever the last connection closes."""
    url = kind.format(tmp_path)
    environment = {
        "PATH": os.environ["PATH"],
        "SECRET_KEY": "k" * 64,
        "ALLOWED_HOSTS": "localhost",
        "DATA_DIR": str(tmp_path),
        "DATABASE_URL": url,
    }

    told = subprocess.run(
        [sys.executable, "-c", TOLD],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    )

    assert "'CONN_MAX_AGE': 60" in told.stdout
