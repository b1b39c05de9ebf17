"""The app in a project that is not this portal."""

import os
import subprocess
import sys
from pathlib import Path

from tests.codebase import ROOT


def test_a_project_needs_no_setting_of_the_portal(tmp_path: Path) -> None:
    environment = dict(os.environ)
    environment.pop("DJANGO_SETTINGS_MODULE", None)

    done = subprocess.run(
        [sys.executable, "-m", "tests.upload.queued.bare", str(tmp_path)],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        timeout=90,
    )

    assert done.returncode == 0, done.stderr
    told = [line for line in done.stdout.splitlines() if line.endswith(" both")]
    assert told == [f"{number}.txt both" for number in range(3)], done.stderr
    assert len(list((tmp_path / "there").iterdir())) == 3
