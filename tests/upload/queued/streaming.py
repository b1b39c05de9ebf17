"""How much memory one storage takes for one long file, in a process of its own.

``python -m tests.upload.queued.streaming MIB FOLDER`` reads an entry of STORAGES as
JSON, saves a file of so many MiB and reads it again; it prints the MiB by which the
greatest memory grew, and the seconds of both. ``measure`` starts it.
"""

import json
import os
import resource
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

MIB = 1 << 20


def measure(entry: dict[str, Any], mib: int, folder: Path) -> list[float]:
    """Return growth in MiB, seconds of the save, seconds of reading."""
    command = [sys.executable, "-m", __name__, str(mib), str(folder)]
    told = json.dumps(entry)
    done = subprocess.run(
        command, input=told, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return [float(word) for word in done.stdout.split()]


def _configure(folder: Path) -> None:
    import django
    from django.conf import settings
    from django.core.management import call_command

    settings.configure(
        USE_I18N=False,
        USE_TZ=True,
        INSTALLED_APPS=["upload.queued_storage.remotes.database_app"],
        DATABASES={
            "default": {
                "ENGINE": "django.db.backends.sqlite3",
                "NAME": folder / "memory.sqlite3",
            }
        },
    )
    django.setup()
    call_command("migrate", verbosity=0)


def _peak_mib() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def _there_and_back(storage: Any, path: Path, name: str) -> tuple[float, float]:
    from django.core.files.base import File

    size_bytes, start = path.stat().st_size, time.monotonic()
    with path.open("rb") as source:
        saved = storage.save(name, File(source))
    middle = time.monotonic()
    with storage.open(saved) as file:
        count = sum(len(chunk) for chunk in file.chunks(MIB))
    assert count == size_bytes, (count, size_bytes)
    storage.delete(saved)
    return middle - start, time.monotonic() - middle


def main(mib: int, folder: Path) -> None:
    _configure(folder)
    from django.core.files.storage import storages

    storage: Any = storages.create_storage(json.load(sys.stdin))
    sparse = folder / "sparse"
    sparse.touch()
    # Libraries load, buffers grow to their size.
    os.truncate(sparse, 40 * MIB)
    _there_and_back(storage, sparse, "first")
    before = _peak_mib()
    os.truncate(sparse, mib * MIB)
    seconds = _there_and_back(storage, sparse, "long")
    sys.stdout.write(f"{_peak_mib() - before:.0f} {seconds[0]:.1f} {seconds[1]:.1f}\n")


if __name__ == "__main__":
    main(int(sys.argv[1]), Path(sys.argv[2]))
