"""Bags that were killed, changed, moved or asked for again."""

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import bagit
import pytest

from tests.make import make_destination, run
from tests.upload.bags import PLAIN, ask, facts, folder_of, lay_out, stored
from upload import bag, bagging
from upload.layout import BAG
from upload.models import Destination, FileCopy, Job, Submission, UploadSession
from upload.states import JobState, SessionStatus
from upload.storage import UploadedFileStorage

# The validator's own, on Python 3.13.
pytestmark = pytest.mark.filterwarnings("ignore:'count' is passed as positional")
on_real_commits = pytest.mark.django_db(transaction=True)


@pytest.fixture
def archive(tmp_path: Path) -> Destination:
    made = make_destination(tmp_path / "destinations" / "bags")
    lay_out(made, BAG)
    return made


@pytest.fixture
def killed_late(
    monkeypatch: pytest.MonkeyPatch, settings: Any
) -> Callable[[Job], None]:
    """Run an attempt that ends when its payload is there."""
    settings.JOB_RETRY_DELAY_SECONDS = 0

    def run_and_kill(job: Job) -> None:
        with monkeypatch.context() as patch, pytest.raises(SystemExit):
            patch.setattr(bagging, "finish", die)
            run(job)

    return run_and_kill


def die(*args: Any) -> None:
    raise SystemExit("killed")


@on_real_commits
def test_copying_a_bag_again_reads_it_and_changes_nothing(archive: Destination) -> None:
    session = stored(PLAIN)
    run(ask(session, archive))
    before = facts(folder_of(session, archive))
    verified = FileCopy.objects.values_list("verified_at", flat=True).first()

    assert run(ask(session, archive)).state == JobState.SUCCEEDED

    assert facts(folder_of(session, archive)) == before
    assert verified < FileCopy.objects.values_list("verified_at", flat=True).first()


@on_real_commits
def test_a_bag_keeps_its_description_when_the_submission_changes(
    archive: Destination,
) -> None:
    session = stored(PLAIN)
    submission = Submission.objects.create(title="Old", upload_session=session)
    run(ask(session, archive))
    before = facts(folder_of(session, archive))
    submission.title = "New"
    submission.save()

    assert run(ask(session, archive)).state == JobState.SUCCEEDED
    assert facts(folder_of(session, archive)) == before


@on_real_commits
def test_a_changed_file_is_named_and_leaves_no_bag(archive: Destination) -> None:
    session = stored(PLAIN)
    flip(session, "a.txt")

    job = run(ask(session, archive))

    session.refresh_from_db()
    assert (job.state, session.status) == (JobState.FAILED, SessionStatus.STORED)
    assert "“a.txt”" in job.error and "check the storage it came from" in job.error
    assert [p.name for p in folder_of(session, archive).iterdir()] == ["data"]
    assert not (folder_of(session, archive) / "data/a.txt").exists()


def flip(session: UploadSession, name: str) -> None:
    key = session.permuploadedfile_set.get(name=name).file_upload.name
    path = Path(UploadedFileStorage().path(key))
    content = path.read_bytes()
    path.write_bytes(bytes([content[0] ^ 1]) + content[1:])


@on_real_commits
def test_a_copy_killed_before_its_manifest_is_finished_by_the_next_attempt(
    archive: Destination, killed_late: Callable[[Job], None]
) -> None:
    session = stored(PLAIN)
    job = ask(session, archive)
    killed_late(job)
    assert not (folder_of(session, archive) / bag.BAGIT).exists()

    assert run(job).state == JobState.SUCCEEDED
    assert bagit.Bag(str(folder_of(session, archive))).validate() is True


@on_real_commits
@pytest.mark.parametrize("name", [bag.BAGIT, bag.TAG_MANIFEST, bag.MANIFEST])
def test_a_bag_that_lacks_a_tag_file_gets_the_same_one_again(
    archive: Destination, name: str
) -> None:
    session = stored(PLAIN)
    run(ask(session, archive))
    lost = folder_of(session, archive) / name
    content = lost.read_bytes()
    lost.unlink()

    assert run(ask(session, archive)).state == JobState.SUCCEEDED
    assert lost.read_bytes() == content


@on_real_commits
def test_a_description_that_somebody_edited_is_left_and_reported(
    archive: Destination,
) -> None:
    session = stored(PLAIN)
    run(ask(session, archive))
    edited = folder_of(session, archive) / bag.BAG_INFO
    edited.write_text("Contact-Name: Eve\n", encoding="utf-8")

    job = run(ask(session, archive))

    assert (job.state, job.error_code) == (JobState.FAILED, "job_failed")
    assert "bag-info.txt" in job.error
    assert edited.read_text("utf-8") == "Contact-Name: Eve\n"


@on_real_commits
def test_no_other_files_are_written_into_a_finished_bag(archive: Destination) -> None:
    session = stored(PLAIN)
    run(ask(session, archive))
    before = facts(folder_of(session, archive))
    session.permuploadedfile_set.filter(name="a.txt").update(relative_path="c.txt")

    job = run(ask(session, archive))

    assert job.error_code == "destination_refused"
    assert "with other files" in job.error
    assert facts(folder_of(session, archive)) == before


@on_real_commits
def test_somebody_elses_manifest_stops_a_bag_before_its_first_byte(
    archive: Destination,
) -> None:
    session = stored(PLAIN)
    folder = folder_of(session, archive)
    folder.mkdir()
    (folder / bag.MANIFEST).write_text("theirs")

    job = run(ask(session, archive))

    assert job.error_code == "destination_refused"
    assert [path.name for path in folder.iterdir()] == [bag.MANIFEST]


@on_real_commits
def test_what_an_unfinished_copy_left_is_not_bagged(archive: Destination) -> None:
    """Its folder has no manifest yet, and a file that the new plan does not name."""
    session = stored(PLAIN)
    flip(session, "b.png")
    run(ask(session, archive))
    session.permuploadedfile_set.filter(name="a.txt").update(relative_path="c.txt")

    job = run(ask(session, archive))

    assert job.error_code == "destination_refused"
    assert "data/a.txt" in job.error


@on_real_commits
def test_a_bag_that_was_moved_away_is_made_anew(archive: Destination) -> None:
    session = stored(PLAIN)
    run(ask(session, archive))
    shutil.rmtree(folder_of(session, archive))
    Submission.objects.create(title="Corrected", upload_session=session)

    run(ask(session, archive))

    made = bagit.Bag(str(folder_of(session, archive)))
    assert made.validate() is True
    assert made.info["External-Description"] == "Corrected"


@on_real_commits
def test_plain_files_are_not_put_into_a_bag(archive: Destination) -> None:
    session = stored(PLAIN)
    run(ask(session, archive))
    lay_out(archive, "plain")

    job = run(ask(session, archive))

    assert job.error_code == "destination_refused"
    assert "A bag stands in" in job.error


@on_real_commits
def test_a_layout_changed_between_two_attempts_ends_the_copy(
    archive: Destination,
    killed_late: Callable[[Job], None],
) -> None:
    job = ask(stored({"data/a.txt": b"a"}), archive)
    killed_late(job)
    lay_out(archive, "plain")

    run(job)

    assert job.error_code == "destination_refused"
    assert "was changed while this copy was under way" in job.error


@on_real_commits
def test_a_link_in_the_place_of_the_description_fails_at_once(
    archive: Destination, tmp_path: Path
) -> None:
    session = stored(PLAIN)
    folder = folder_of(session, archive)
    folder.mkdir(parents=True)
    (folder / bag.BAG_INFO).symlink_to(tmp_path / "elsewhere")

    job = run(ask(session, archive))

    assert (job.state, job.error_code) == (JobState.FAILED, "job_failed")
    assert not (tmp_path / "elsewhere").exists()
