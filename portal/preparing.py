"""Bring the database and the static files up to date before the portal is served.

Each step looks first whether there is anything to do, and may be run at any time.
"""

import hashlib
from pathlib import Path

from django.conf import settings
from django.contrib.staticfiles.finders import get_finders
from django.core.management import call_command
from django.db import connection
from django.db.migrations.executor import MigrationExecutor

STAMP = ".collected"


def migrate() -> bool:
    """Apply the migrations that are missing; return whether there were any."""
    executor = MigrationExecutor(connection)
    plan = executor.migration_plan(executor.loader.graph.leaf_nodes())
    if plan:
        call_command("migrate", interactive=False, verbosity=0)
    return bool(plan)


def collect_static() -> bool:
    """Collect the static files if any has changed; return whether it was done."""
    stamp = Path(settings.STATIC_ROOT) / STAMP
    state = _state_of_static_files()
    if stamp.exists() and stamp.read_text(encoding="utf-8") == state:
        return False
    stamp.unlink(missing_ok=True)
    call_command("collectstatic", interactive=False, verbosity=0)
    stamp.write_text(state, encoding="utf-8")
    return True


def _state_of_static_files() -> str:
    """Return a digest of all names, sizes and times."""
    found = []
    for finder in get_finders():
        for name, storage in finder.list([]):
            seen = Path(storage.path(name)).stat()
            found.append(f"{name} {seen.st_size} {seen.st_mtime_ns}")
    return hashlib.sha256("\n".join(sorted(found)).encode()).hexdigest()
