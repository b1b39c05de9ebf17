"""A probe finds out what a destination can do, keeps the result and never raises."""

import io
import shutil
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from tests.make import make_destination
from tests.services import rclone
from tests.upload.places import s3_entry
from upload.models import Destination
from upload.probe import probe

pytestmark = pytest.mark.django_db


@pytest.fixture
def row(storages_in_tmp: Path) -> Destination:
    return make_destination(storages_in_tmp / "destinations" / "box", "Box")


def files_of(row: Destination) -> list[str]:
    return [path.name for path in Path(row.folder).iterdir()]


def run(*arguments: str) -> str:
    out = io.StringIO()
    call_command("probe_destinations", *arguments, stdout=out)
    return out.getvalue()


def test_a_probe_tells_times_space_and_capabilities(row: Destination) -> None:
    before = files_of(row)

    found = probe(row)

    assert (found["ok"], found["error"]) == (True, "")
    assert list(found["steps_ms"]) == ["check", "write", "read", "list", "delete"]
    assert found["free_bytes"] > 0
    assert found["capabilities"]["refuses_to_replace"] is True
    assert files_of(row) == before


def test_a_probe_is_kept_on_the_row(row: Destination) -> None:
    found = probe(row)

    kept = Destination.objects.get(pk=row.pk)
    assert kept.last_probe == found
    assert kept.last_probed_at is not None


def test_a_missing_destination_is_a_result_and_no_error(row: Destination) -> None:
    shutil.rmtree(row.folder)

    found = probe(row)

    assert found["ok"] is False
    assert "is missing" in found["error"]
    assert found["steps_ms"] == {}


class BrokenStorage:
    """An adapter whose own errors hold what nobody may see."""

    def __init__(self, password: str) -> None:
        raise RuntimeError(f"ftp://ada:{password}@example.org")


def test_an_adapter_that_breaks_tells_no_secret(
    settings: Any, caplog: pytest.LogCaptureFixture
) -> None:
    entry = {"BACKEND": f"{__name__}.BrokenStorage", "OPTIONS": {"password": "s3cret"}}
    settings.DESTINATIONS = {"box": entry}
    row = Destination(name="Box", alias="box")

    found = probe(row)

    assert found["error"] == "Its adapter failed with RuntimeError."
    assert "s3cret" not in str(found) + caplog.text


def test_a_folder_that_is_no_longer_allowed_is_refused(
    row: Destination, settings: Any, tmp_path: Path
) -> None:
    settings.DESTINATION_ROOTS = [tmp_path / "elsewhere"]

    assert "does not lie below" in probe(row)["error"]


def test_a_real_s3_server_is_probed(
    s3_server: rclone.Server, settings: Any, tmp_path: Path
) -> None:
    bucket = s3_server.root / tmp_path.name.replace("_", "-")
    bucket.mkdir()
    settings.DESTINATIONS = {"box": s3_entry(s3_server.port, bucket.name)}
    row = Destination.objects.create(name="Box", alias="box")

    found = probe(row)

    assert found["ok"] is True, found["error"]
    assert found["free_bytes"] is None
    # rclone replaces without being asked.
    assert found["capabilities"]["refuses_to_replace"] is False


def test_the_command_tells_each_and_fails_where_one_does(
    row: Destination, storages_in_tmp: Path
) -> None:
    gone = make_destination(storages_in_tmp / "destinations" / "gone", "Gone")
    shutil.rmtree(gone.folder)
    out = io.StringIO()

    with pytest.raises(CommandError, match="1 of 2 destinations cannot take a copy"):
        call_command("probe_destinations", stdout=out)

    assert "Box: ok" in out.getvalue()
    assert "is missing" in out.getvalue()


def test_the_command_passes_over_what_is_switched_off(row: Destination) -> None:
    Destination.objects.update(enabled=False)

    assert run() == ""
    assert "Box: ok" in run("Box")


def test_a_dry_run_of_the_command_tries_nothing(row: Destination) -> None:
    assert run("--dry-run") == f"Box ({row.folder}) would be probed.\n"
    assert Destination.objects.get().last_probed_at is None


def test_an_unknown_name_is_told(row: Destination) -> None:
    with pytest.raises(CommandError, match="No destination is called Bax"):
        run("Bax")
