"""Verify jobs on the copies at a destination, the schedule and the command."""

import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from tests.make import make_destination, make_session, run
from tests.upload.test_fixity import bytes_of, failures, first_check, flip_a_bit
from upload import fixity, jobs
from upload.models import Destination, FileCopy, Job, UploadSession
from upload.states import JobKind, JobState, SessionStatus

S = SessionStatus
pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def copied(clerk: Any, tmp_path: Path) -> tuple[UploadSession, Destination]:
    session = make_session(S.STORED)
    place = make_destination(tmp_path / "destinations" / "one")
    run(jobs.request(session, JobKind.COPY, clerk, destination=place))
    return session, place


def check_copies(session: UploadSession, place: Destination, clerk: Any) -> Job:
    return run(jobs.request(session, JobKind.VERIFY, clerk, destination=place))


def checked() -> UploadSession:
    """Return a stored session that has had its first check."""
    session = make_session(S.STORED)
    run(first_check(session))
    session.refresh_from_db()
    return session


def age(session: UploadSession, days: int) -> None:
    before = timezone.now() - timedelta(days=days)
    UploadSession.objects.filter(pk=session.pk).update(fixity_checked_at=before)


def test_good_copies_are_verified_anew(copied: Any, clerk: Any) -> None:
    session, place = copied
    before = FileCopy.objects.earliest("verified_at").verified_at

    job = check_copies(session, place, clerk)

    session.refresh_from_db()
    assert (job.state, job.files_done, session.status) == ("succeeded", 2, S.STORED)
    assert FileCopy.objects.earliest("verified_at").verified_at > before


def test_a_flipped_bit_at_a_destination_is_found(copied: Any, clerk: Any) -> None:
    session, place = copied
    flip_a_bit(next(Path(place.folder).rglob("a.txt")))

    job = check_copies(session, place, clerk)

    bad = FileCopy.objects.filter(fixity_failed_at__isnull=False)
    assert (job.state, [copy.name for copy in bad]) == (JobState.FAILED, ["a.txt"])
    assert [event.detail["destination"] for event in failures()] == ["Archive"]


def test_a_copy_that_is_missing_is_found(copied: Any, clerk: Any) -> None:
    session, place = copied
    next(Path(place.folder).rglob("a.txt")).unlink()

    job = check_copies(session, place, clerk)

    assert (job.state, job.files_done) == (JobState.FAILED, 1)
    assert [event.detail["name"] for event in failures()] == ["a.txt"]


def test_a_destination_that_is_away_calls_no_copy_damaged(
    copied: Any, clerk: Any, tmp_path: Path
) -> None:
    session, place = copied
    Path(place.folder).rename(tmp_path / "away")

    job = check_copies(session, place, clerk)

    assert (job.state, failures()) == (JobState.FAILED, [])
    assert not FileCopy.objects.filter(fixity_failed_at__isnull=False).exists()


@pytest.mark.parametrize(("days", "count"), [(29, 0), (31, 1)])
def test_a_session_is_due_when_its_time_is_over(days: int, count: int) -> None:
    session = checked()
    age(session, days)

    assert fixity.queue_due(UploadSession.objects) == count
    assert fixity.queue_due(UploadSession.objects) == 0


def test_a_run_is_bounded_and_takes_the_longest_unread_first() -> None:
    sessions = [checked(), checked()]
    age(sessions[0], 40)
    age(sessions[1], 50)

    fixity.queue_due(UploadSession.objects, limit=1)

    assert Job.objects.active().get().session == sessions[1]


def test_the_schedule_can_be_switched_off(settings: Any) -> None:
    settings.FIXITY_CHECK_EVERY_DAYS = -1
    age(checked(), 1000)

    assert fixity.queue_due(UploadSession.objects) == 0


def test_the_command_reads_now_and_tells_in_json(capsys: Any) -> None:
    session = checked()
    age(session, 31)

    call_command("verify_fixity", "--json")

    told = json.loads(capsys.readouterr().out)
    assert (told["verified"], told["failed"]) == (1, 0)
    assert told["sessions"][0]["session"] == str(session.uuid)


def test_the_command_fails_where_a_file_is_damaged(capsys: Any) -> None:
    session = checked()
    flip_a_bit(bytes_of(session, "a.txt"))

    with pytest.raises(CommandError, match="1 of 1 sessions"):
        call_command("verify_fixity", "--all")

    assert "a.txt" in capsys.readouterr().out


def test_a_dry_run_lists_and_changes_nothing(capsys: Any) -> None:
    session = checked()
    age(session, 31)
    jobs_before = Job.objects.count()

    call_command("verify_fixity", "--dry-run")

    assert f"Session {session.uuid} would be verified." in capsys.readouterr().out
    assert Job.objects.count() == jobs_before
