"""Take the pictures of ``docs/screenshots``: ``python -m tests.screenshots [FOLDER]``.

Starts a portal with the demo data from nothing in a temporary folder. The same pages
in dark and in Japanese are written to FOLDER, where one is named.
"""

import os
import secrets
import sys
import tempfile
from pathlib import Path

from tests.codebase import ROOT

DOCS = ROOT / "docs" / "screenshots"


def main(arguments: list[str]) -> int:
    look = Path(arguments[0]) if arguments else None
    with tempfile.TemporaryDirectory(prefix="muniment-") as folder:
        _set_up(Path(folder))
        # The models can be imported only now that there are settings.
        from tests.journey import pictures

        for path in pictures.take(Path(folder), DOCS, look):
            sys.stdout.write(f"{path}  {path.stat().st_size // 1000} kB\n")
    return 0


def _set_up(folder: Path) -> None:
    os.environ |= {
        "DJANGO_SETTINGS_MODULE": "portal.settings",
        "DATA_DIR": str(folder),
        "DATABASE_URL": f"sqlite:///{folder}/muniment.sqlite3",
        "SECRET_KEY": secrets.token_urlsafe(64),
        "ALLOWED_HOSTS": "127.0.0.1",
        "HTTPS_ONLY": "0",
        "LOG_LEVEL": "WARNING",
        # Progress is written four times in a lease.
        "JOB_LEASE_SECONDS": "2",
        "JOB_WORKERS": "1",
        # Playwright keeps an event loop in this thread; the ORM is used in turn.
        "DJANGO_ALLOW_ASYNC_UNSAFE": "true",
    }
    import django

    django.setup()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
