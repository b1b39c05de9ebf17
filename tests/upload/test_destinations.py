"""Destination rows: a folder or an alias, marked, and never a secret."""

from pathlib import Path
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.db import IntegrityError

from tests.make import make_destination, make_job, make_session, run
from tests.services import rclone
from tests.upload.places import s3_entry, sftp_entry
from upload import orphans
from upload.errors import DestinationRefused
from upload.models import Destination, FileCopy
from upload.states import JobKind, JobState, SessionStatus
from upload.targets import MARKER, FolderTarget

pytestmark = pytest.mark.django_db
DURABLE = "upload.storage.DurableFileSystemStorage"


@pytest.fixture
def boxes(settings: Any, tmp_path: Path) -> Path:
    """Name two local folders, "one" and "two", as aliases of the settings."""
    settings.DESTINATIONS = {
        name: {"BACKEND": DURABLE, "OPTIONS": {"location": str(tmp_path / name)}}
        for name in ("one", "two")
    }
    for name in settings.DESTINATIONS:
        (tmp_path / name).mkdir()
    return tmp_path


def test_a_row_names_an_alias_and_marks_its_place(boxes: Path) -> None:
    row = Destination.objects.create(name="Box", alias="one")

    assert (boxes / "one" / MARKER).read_text() == str(row.uuid)
    assert isinstance(row.target(), FolderTarget)
    assert (row.root, row.layout) == ("alias:one", "plain")


def test_two_aliases_keep_their_copies_apart(boxes: Path) -> None:
    session = make_session(SessionStatus.STORED, files={"a.txt": b"abc"})
    for alias in ("one", "two"):
        row = Destination.objects.create(name=alias, alias=alias)
        job = run(make_job(session, JobKind.COPY, destination=row))
        assert job.state == JobState.SUCCEEDED

    assert (boxes / "two" / str(session.uuid) / "a.txt").read_bytes() == b"abc"
    roots = FileCopy.objects.order_by("pk").values_list("target_root", flat=True)
    assert list(roots) == ["alias:one", "alias:two"]


@pytest.mark.parametrize("values", [{}, {"folder": "/x", "alias": "one"}])
def test_a_row_has_either_a_folder_or_an_alias(values: dict[str, str]) -> None:
    row = Destination(name="Box", enabled=False, **values)

    with pytest.raises(ValidationError, match="either a folder or an alias"):
        row.full_clean()
    with pytest.raises(IntegrityError):
        Destination.objects.bulk_create([row])


@pytest.mark.parametrize(
    ("entry", "reason"),
    [
        (None, "DESTINATIONS does not have it"),
        ({"BACKEND": "no.such.Thing"}, "cannot be imported"),
        ({"BACKEND": DURABLE, "OPTIONS": {"password": "s3cret"}}, "do not fit"),
        ({"BACKEND": DURABLE, "OPTIONS": {"location": "{tmp}/gone"}}, "is missing"),
        ({"BACKEND": DURABLE, "OPTIONS": {"location": "{tmp}/temp"}}, "our own data"),
    ],
)
def test_an_alias_that_leads_nowhere_is_refused_with_a_reason(
    settings: Any, tmp_path: Path, entry: Any, reason: str
) -> None:
    if entry and "location" in entry.get("OPTIONS", {}):
        place = entry["OPTIONS"]["location"].format(tmp=tmp_path)
        entry = entry | {"OPTIONS": {"location": place}}
    settings.DESTINATIONS = {"box": entry} if entry else {}

    with pytest.raises(ValidationError, match=reason) as refused:
        Destination(name="Box", alias="box").full_clean()

    assert "alias" in refused.value.message_dict
    assert "s3cret" not in str(refused.value)


def test_an_adapter_without_its_packages_names_the_extra(
    settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.DESTINATIONS = {"box": sftp_entry(1, "ssh-ed25519 AAAA", username="a")}
    monkeypatch.setitem(__import__("sys").modules, "upload.targets.sftp", None)

    with pytest.raises(DestinationRefused, match="Install the extra “sftp”"):
        Destination(name="Box", alias="box").target()


def test_a_place_of_another_destination_is_refused_by_the_form(
    storages_in_tmp: Path,
) -> None:
    first = make_destination(storages_in_tmp / "destinations" / "box")

    with pytest.raises(ValidationError, match="another destination"):
        Destination(name="Second", folder=first.folder).full_clean()


def test_a_destination_that_is_gone_can_be_switched_off(storages_in_tmp: Path) -> None:
    row = make_destination(storages_in_tmp / "destinations" / "box")
    (Path(row.folder) / MARKER).unlink()
    Path(row.folder).rmdir()

    row.enabled = False
    row.full_clean()
    row.save()

    row.enabled = True
    with pytest.raises(ValidationError, match="is missing"):
        row.full_clean()


def test_a_session_is_copied_to_a_real_s3_server(
    s3_server: rclone.Server, settings: Any, tmp_path: Path
) -> None:
    bucket = s3_server.root / tmp_path.name.replace("_", "-")
    bucket.mkdir()
    settings.DESTINATIONS = {"box": s3_entry(s3_server.port, bucket.name)}
    row = Destination.objects.create(name="Box", alias="box", layout="bag")
    session = make_session(SessionStatus.STORED, files={"a.txt": b"abc"})

    job = run(make_job(session, JobKind.COPY, destination=row))

    folder = bucket / "records" / str(session.uuid)
    assert job.state == JobState.SUCCEEDED, job.error
    assert (folder / "data" / "a.txt").read_bytes() == b"abc"
    assert (folder / "bagit.txt").exists()


def test_a_copy_to_a_server_that_is_down_is_tried_again_later(settings: Any) -> None:
    settings.DESTINATIONS = {"box": s3_entry(1, "bucket")}
    (row,) = Destination.objects.bulk_create([Destination(name="Box", alias="box")])
    session = make_session(SessionStatus.STORED, files={"a.txt": b"abc"})

    job = run(make_job(session, JobKind.COPY, destination=row))

    assert (job.state, job.error_code) == (JobState.QUEUED, "destination_unreachable")
    assert job.next_run_at is not None
    session.refresh_from_db()
    assert session.status == SessionStatus.COPYING_IN_PROGRESS


def test_the_sweep_drops_old_staging_of_every_destination(
    boxes: Path, settings: Any
) -> None:
    Destination.objects.create(name="Box", alias="one")
    left = boxes / "one" / ".muniment-job-1-1.ab.part"
    left.write_bytes(b"x")
    settings.ORPHAN_GRACE_HOURS = 0

    orphans.sweep()

    assert not left.exists()
