"""Find the strings of our pages that translators have to know, by ``xgettext``.

Unfold, import-export, django-filter and django-q2 are read as well, because Unfold
brings no translations at all and the others only some: what their pages say here, and
neither Django nor they translate, is put into our own catalogues.
"""

import importlib.util
import os
import subprocess
import sys
from pathlib import Path
from shutil import copytree, ignore_patterns

import polib
from django.conf import settings

from tests.codebase import PRODUCT, ROOT

LIBRARIES = ("unfold", "import_export", "django_filters")
# Nothing else of this package is seen by people: the rest is its log.
SEEN_OF_QUEUE = ("django_q/models.py", "django_q/admin.py")
# Apps inside "contrib" are copied one by one, where they are installed.
UNSEEN = ignore_patterns("locale", "contrib", "tests", "rest_framework", "management")

type Key = tuple[str | None, str]


def found(folder: Path) -> polib.POFile:
    """Return all strings without translations, after copying their sources here."""
    _copy_sources(folder)
    (folder / "locale").mkdir()
    # -P, and no settings: the copies are read, never imported.
    command = [sys.executable, "-P", "-m", "django", "makemessages", "--locale=en"]
    options = ["--keep-pot", "--no-wrap", "--add-location=file", "--verbosity=0"]
    environment = {k: v for k, v in os.environ.items() if "DJANGO" not in k}
    subprocess.run([*command, *options], cwd=folder, env=environment, check=True)
    return polib.pofile(str(folder / "locale" / "django.pot"))


def _copy_sources(folder: Path) -> None:
    for name in PRODUCT:
        copytree(ROOT / name, folder / name, ignore=UNSEEN)
    for app in settings.INSTALLED_APPS:
        if app.partition(".")[0] in LIBRARIES:
            place = app.replace(".", "/")
            copytree(package(app), folder / place, ignore=UNSEEN)
    for place in SEEN_OF_QUEUE:
        (folder / place).parent.mkdir(exist_ok=True)
        (folder / place).write_bytes((package("django_q").parent / place).read_bytes())


def package(name: str) -> Path:
    """Return the folder of an installed package, without importing it."""
    spec = importlib.util.find_spec(name)
    if spec is None or not spec.submodule_search_locations:
        raise LookupError(f"The package {name} is not installed. Run make dev.")
    return Path(spec.submodule_search_locations[0])


def key(entry: polib.POEntry | polib.MOEntry) -> Key:
    return entry.msgctxt, entry.msgid


def is_ours(entry: polib.POEntry) -> bool:
    return any(place.partition("/")[0] in PRODUCT for place, _ in entry.occurrences)


def shipped(language: str) -> set[Key]:
    """Return what Django and the libraries themselves say in this language."""
    catalogues = [package("django.conf") / "locale" / language]
    for app in settings.INSTALLED_APPS:
        if app.partition(".")[0] not in PRODUCT:
            catalogues.append(package(app) / "locale" / language)
    return {
        key(entry)
        for folder in catalogues
        for path in folder.glob("LC_MESSAGES/django.mo")
        for entry in polib.mofile(str(path))
    }
