"""The ground that all tests stand on: database, storages, people, browser."""

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from django.core.files.storage import storages
from django.db import connection
from django.test import Client

from portal.models import User
from tests.browsing import PageFor
from tests.codebase import ROOT
from tests.people import ClientFor
from tests.services.system import require_program


@pytest.mark.django_db
def test_sqlite_is_a_file_that_keeps_each_commit() -> None:
    if connection.vendor != "sqlite":
        pytest.skip("This run is on PostgreSQL.")
    with connection.cursor() as cursor:
        mode = cursor.execute("PRAGMA journal_mode").fetchone()[0]
        synchronous = cursor.execute("PRAGMA synchronous").fetchone()[0]

        cache = cursor.execute("PRAGMA cache_size").fetchone()[0]

    assert (mode, synchronous, cache) == ("wal", 2, -16384)


@pytest.mark.parametrize("alias", ["temp", "uploaded"])
def test_storages_lie_below_the_folder_of_the_test(alias: str, tmp_path: Path) -> None:
    assert Path(storages[alias].path("key")).is_relative_to(tmp_path)


def test_a_program_that_is_missing_skips_the_test(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv("CI", raising=False)

    with pytest.raises(pytest.skip.Exception, match="is not installed"):
        require_program("no-such-program")


def test_a_program_that_is_missing_fails_the_test_in_ci(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("CI", "true")

    with pytest.raises(pytest.fail.Exception, match="is not installed"):
        require_program("no-such-program")


def test_a_program_sees_the_rows_of_the_test(
    program_environment: dict[str, str], nobody: User
) -> None:
    code = "from portal.models import User; print(User.objects.get().username)"

    done = subprocess.run(
        [sys.executable, "manage.py", "shell", "--no-imports", "-c", code],
        cwd=ROOT,
        env=program_environment,
        capture_output=True,
        text=True,
    )

    assert done.stdout == "nobody\n", done.stderr


def test_a_person_without_rights_may_open_the_admin(
    client_for: ClientFor, nobody: User
) -> None:
    assert client_for(nobody).get("/admin/").status_code == 200
    assert Client().get("/admin/").status_code == 302


def test_the_browser_is_signed_in_as_the_person(
    page_for: PageFor, superuser: User, settings: Any
) -> None:
    page = page_for(superuser)

    page.goto("/admin/password_change/")

    assert page.locator("input[type=password]").count() == 3
