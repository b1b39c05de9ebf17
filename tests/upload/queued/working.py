"""A worker for one storage: ``python -m tests.upload.queued.working FOLDER``.

It transfers, from FOLDER to the entry of STORAGES that it reads as JSON, what is due,
again and again, until it is killed.
"""

import json
import sys
import time
from pathlib import Path

PAUSE_SECONDS = 0.05


def main(folder: Path) -> None:
    import django

    django.setup()
    from tests.upload.queued.made import to_remote
    from upload.queued_storage.tasks import drain

    storage = to_remote(folder, json.load(sys.stdin), identity="chaos")
    while True:
        drain(storage.storage_key)
        time.sleep(PAUSE_SECONDS)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
