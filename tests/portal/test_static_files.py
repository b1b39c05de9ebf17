"""Static files under hashed names, modules and what they import."""

import re
from pathlib import Path
from typing import Any

from django.core.management import call_command

from portal.settings import STORAGES


def test_modules_import_each_other_by_hashed_names(
    settings: Any, tmp_path: Path
) -> None:
    settings.STATIC_ROOT = tmp_path
    settings.STORAGES = settings.STORAGES | {"staticfiles": STORAGES["staticfiles"]}

    call_command("collectstatic", interactive=False, verbosity=0)

    (page,) = (tmp_path / "upload").glob("upload.????????????.js")
    imported = re.findall(r'from "\./([^"]+)"', page.read_text())
    assert len(imported) > 5
    for name in imported:
        assert re.fullmatch(r"\w+\.[0-9a-f]{12}\.js", name)
        assert (tmp_path / "upload" / name).is_file()
