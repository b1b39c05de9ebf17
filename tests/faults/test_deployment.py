"""A new version is brought in while the old one works: no job and no byte is lost.

The old version's processes write to a database that the new one has migrated already.
"""

import os
import signal
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.db import connection
from django.db.migrations.loader import MigrationLoader

from tests.faults import sweep
from tests.faults.databases import Postgresql, Sqlite
from tests.faults.operations import OPERATIONS
from tests.faults.oracle import look
from tests.faults.sweep import Step, injecting
from tests.faults.world import Portal
from tests.make import make_destination, make_session, run
from tests.services.system import require_program
from upload.jobs import request
from upload.states import JobKind, SessionStatus

BY_NAME = {operation.name: operation for operation in OPERATIONS}
COPY = BY_NAME["copy"]
# The file under way has a name of its own by now, and no transaction is open.
UNDER_WAY = Step("renameat2", 2)
# Every version from this one on may still run when the newest has migrated.
FIRST = "0012_export_events"


@pytest.fixture(scope="module")
def migrated(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sqlite | Postgresql]:
    if sys.platform != "linux":
        pytest.skip("Steps are found by strace, which only Linux has.")
    require_program("strace")
    folder = tmp_path_factory.mktemp("deployment") / "migrated"
    on_server = connection.vendor == "postgresql"
    made = sweep.migrate(folder, os.environ["TEST_DATABASE_URL"] if on_server else "")
    yield made
    made.drop()


@pytest.fixture
def portal(migrated: Sqlite | Postgresql, tmp_path: Path) -> Iterator[Portal]:
    with sweep.standing(tmp_path / "faults", COPY, migrated) as portal:
        yield portal


def columns_are_new(portal: Portal) -> bool:
    rows = look(portal.world).rows
    tables = ("upload_job", "upload_jobitem", "upload_filecopy", "upload_sessionevent")
    return all({row["of_next"] for row in rows[name]} == {"new"} for name in tables)


def test_a_copy_goes_on_after_the_database_was_migrated_under_it(
    portal: Portal,
) -> None:
    with portal.traced("copy", *injecting(UNDER_WAY, "STOP")) as process:
        assert portal.wait(process) == "stopped"
        try:
            portal.run("migrate on")
        finally:
            os.kill(process, signal.SIGCONT)
        assert portal.wait(process) == "0"

    assert COPY.end_problems(look(portal.world)) == []
    jobs = look(portal.world).rows["upload_job"]
    assert [row["attempts"] for row in jobs if row["kind"] == "copy"] == [1]
    assert columns_are_new(portal)


def test_a_copy_that_a_deployment_killed_is_done_by_the_next_version(
    portal: Portal,
) -> None:
    with portal.traced("copy", *injecting(UNDER_WAY, "KILL")) as process:
        assert portal.wait(process) == str(-signal.SIGKILL)
    portal.run("migrate on")

    sweep.recover(portal, COPY)

    assert COPY.end_problems(look(portal.world)) == []
    assert columns_are_new(portal)


def earlier_versions() -> list[str]:
    loader = MigrationLoader(None)
    names = sorted(name for app, name in loader.disk_migrations if app == "upload")
    return names[names.index(FIRST) : -1]


def written_anew(row: Any) -> Any:
    """Make the row another one that differs in all that must be unique, and insert it.

    The key is left to the database.
    """
    meta = row._meta
    row.pk = None
    together = {n for rule in meta.total_unique_constraints for n in rule.fields}
    for field in meta.concrete_fields:
        is_own = field.unique or field.name in together
        if is_own and not (field.primary_key or field.is_relation):
            held = getattr(row, field.attname)
            other = uuid4() if isinstance(held, UUID) else f"~{held[1:]}"
            setattr(row, field.attname, other)
    row.save(force_insert=True)
    return row


@pytest.fixture
def worked_on(tmp_path: Path, settings: Any) -> None:
    """Store, copy and remove, so that most tables have rows."""
    settings.REMOVAL_NEEDS_APPROVAL = False
    kept, removed = (make_session(SessionStatus.STORED) for _n in range(2))
    place = make_destination(tmp_path / "destinations" / "archive")
    run(request(kept, JobKind.COPY, None, destination=place))
    run(request(removed, JobKind.REMOVE, None))


@pytest.mark.django_db
@pytest.mark.usefixtures("worked_on")
@pytest.mark.parametrize("name", earlier_versions())
def test_an_earlier_version_still_writes_to_the_newest_tables(name: str) -> None:
    state = MigrationLoader(None).project_state([("upload", name)])
    written = set()

    for model in state.apps.get_app_config("upload").get_models():
        row = model._default_manager.order_by("pk").first()
        if row is not None:
            row.save(force_update=True)
            written_anew(row)
            written.add(model.__name__)

    assert written >= {
        *("UploadSession", "PermUploadedFile", "Job", "JobItem"),
        *("FileCopy", "SessionEvent", "Destination", "RemovedFile"),
    }
