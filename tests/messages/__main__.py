"""Bring the catalogues up to date, and name every string still to be translated."""

import os
import sys
import tempfile
from pathlib import Path

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.settings")

from tests.messages import catalogues, extraction


def main() -> int:
    with tempfile.TemporaryDirectory() as folder:
        found = extraction.found(Path(folder))
    missing = 0
    for language in catalogues.PLURALS:
        fresh = catalogues.refreshed(language, found)
        catalogues.write(language, fresh)
        for entry in fresh.untranslated_entries():
            missing += 1
            print(f"{language}: no translation of “{entry.msgid}”")  # noqa: T201
    print(f"{missing} translations are missing.")  # noqa: T201
    return int(missing > 0)


if __name__ == "__main__":
    sys.exit(main())
