"""The portal's own settings, in an environment made for one test run.

Everything is written below a temporary folder that the first process deletes at its
end. The database is a file and never memory, because threads and other processes
open it too. ``TEST_DATABASE_URL`` names another database; it is set by
``tests.services.postgresql``. The variables of a person's shell have no say.
"""

import atexit
import os
import secrets
import shutil
import tempfile
from pathlib import Path


def _make_folder() -> str:
    folder = tempfile.mkdtemp(prefix="muniment-tests-")
    atexit.register(_delete_folder, folder, os.getpid())
    (Path(folder) / "static").mkdir()
    return folder


def _delete_folder(folder: str, owner: int) -> None:
    # A forked child runs the same exit hooks; the folder is not its own.
    if os.getpid() == owner:
        shutil.rmtree(folder, ignore_errors=True)


# Test processes started by this one find its folder and secret here.
os.environ.setdefault("MUNIMENT_TEST_FOLDER", "")
if not os.environ["MUNIMENT_TEST_FOLDER"]:
    os.environ["MUNIMENT_TEST_FOLDER"] = _make_folder()
    os.environ["SECRET_KEY"] = secrets.token_urlsafe(64)
_folder = os.environ["MUNIMENT_TEST_FOLDER"]
os.environ |= {
    "DATA_DIR": _folder,
    "DATABASE_URL": os.environ.get(
        "TEST_DATABASE_URL", f"sqlite:///{_folder}/muniment.sqlite3"
    ),
    "ALLOWED_HOSTS": "testserver,localhost,127.0.0.1",
    "HTTPS_ONLY": "0",
    "JOB_LEASE_SECONDS": "3",
    "JOB_SWEEP_SECONDS": "1",
}

from portal.settings import *  # noqa: E402, F403
from portal.settings import DATABASES, INSTALLED_APPS, STORAGES  # noqa: E402

# Optional tables, installed here so that their storage is tested.
INSTALLED_APPS = [*INSTALLED_APPS, "upload.queued_storage.remotes.database_app"]

if DATABASES["default"]["ENGINE"] == "django.db.backends.sqlite3":
    DATABASES["default"]["TEST"] = {"NAME": f"{_folder}/test.sqlite3"}
# A connection kept open by a thread would forbid dropping the test database.
DATABASES["default"]["CONN_MAX_AGE"] = 0

PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
# The manifest storage would need collectstatic before each run.
STORAGES = STORAGES | {
    "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}
}
