"""A worker that kills itself: ``python -m tests.upload.queued.dying WHEN FOLDER``.

It drains the storage from FOLDER to the entry of STORAGES that it reads as JSON, and
ends by SIGKILL after WHEN chunks, or when the first file was ``sent``.
"""

import json
import os
import signal
import sys
from itertools import count
from pathlib import Path
from typing import Any


def die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def main(when: str, folder: Path) -> None:
    import django

    django.setup()
    from tests.upload.queued.made import to_remote
    from upload.queued_storage.draining import Drain
    from upload.queued_storage.tasks import TransferAndDelete

    checks = count(1)

    class Dying(TransferAndDelete):
        def transfer(self, *args: Any, **kwargs: Any) -> bool:
            sending = kwargs["sending"]
            check = sending.check

            def check_and_die() -> None:
                check()
                if str(next(checks)) == when:
                    die()

            sending.check = check_and_die
            result = super().transfer(*args, **kwargs)
            if when == "sent":
                die()
            return result

    storage = to_remote(folder, json.load(sys.stdin), identity="killed")
    drain = Drain(storage, {storage.task})
    drain._tasks = {storage.task: Dying()}
    drain.run()


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]))
