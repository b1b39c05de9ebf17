"""The commands do what the schedules do, tell it, and say when something failed."""

import io
from pathlib import Path
from typing import Any

import pytest
from django.core.files.storage import FileSystemStorage
from django.core.management import CommandError, call_command
from django.core.management.base import OutputWrapper
from django_q.models import OrmQ, Schedule

from tests.make import aged, make_job, make_session
from upload.management.progress import Progress
from upload.models import UploadSession
from upload.states import JobKind, JobState, SessionStatus

S = SessionStatus
LONG_AGO = 10**5
on_real_commits = pytest.mark.django_db(transaction=True)


class RefusingStorage(FileSystemStorage):
    """Fails for one session as a remote storage's client does: with its own error."""

    refused = "no session yet"

    def delete(self, name: str) -> None:
        if self.refused in name:
            raise RuntimeError("503 Slow Down")
        super().delete(name)


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def run(*arguments: str) -> str:
    out = io.StringIO()
    call_command(*arguments, stdout=out)
    return out.getvalue()


def status_of(session: UploadSession) -> str:
    session.refresh_from_db()
    return session.status


@on_real_commits
def test_expire_sessions_expires_what_is_due_and_tells_each() -> None:
    due = aged(make_session(S.UPLOADING), LONG_AGO)
    fresh = make_session(S.UPLOADING)

    told = run("expire_sessions")

    assert (status_of(due), status_of(fresh)) == (S.EXPIRED, S.UPLOADING)
    assert f"Session {due.uuid} expired" in told
    assert told.endswith("1 expired, 0 failed.\n")


@on_real_commits
def test_a_dry_run_of_expire_sessions_changes_nothing() -> None:
    due = aged(make_session(S.UPLOADING), LONG_AGO)

    told = run("expire_sessions", "--dry-run")

    assert status_of(due) == S.UPLOADING
    assert f"Session {due.uuid} would be expired." in told


@on_real_commits
def test_one_session_whose_storage_fails_stops_no_other(
    settings: Any, storages_in_tmp: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bad, good = (aged(make_session(S.UPLOADING), LONG_AGO) for _number in range(2))
    monkeypatch.setattr(RefusingStorage, "refused", bad.uuid.hex)
    broken = {
        "BACKEND": f"{__name__}.RefusingStorage",
        "OPTIONS": {"location": storages_in_tmp / "temp"},
    }
    settings.STORAGES = settings.STORAGES | {"temp": broken}

    with pytest.raises(CommandError, match="1 of 2 sessions could not be expired"):
        run("expire_sessions")

    assert status_of(good) == S.EXPIRED
    assert not good.tempuploadedfile_set.exists()


@on_real_commits
def test_delete_expired_sessions_deletes_rows_unless_it_is_a_dry_run(
    settings: Any,
) -> None:
    settings.DELETE_EXPIRED_AFTER_DAYS = 0
    make_session(S.EXPIRED)

    assert "1 would be deleted." in run("delete_expired_sessions", "--dry-run")
    assert UploadSession.objects.count() == 1
    assert "1 deleted, 0 failed." in run("delete_expired_sessions")
    assert UploadSession.objects.count() == 0


@on_real_commits
def test_recover_jobs_queues_a_job_that_never_reached_the_queue(settings: Any) -> None:
    settings.JOB_LEASE_SECONDS = 0
    job = make_job(make_session(S.UPLOADING), JobKind.STORE)

    assert str(job) in run("recover_jobs", "--dry-run")
    assert OrmQ.objects.count() == 0
    assert run("recover_jobs").endswith("1 queued, 0 failed, 0 made anew.\n")
    assert OrmQ.objects.count() == 1


@pytest.mark.django_db
def test_recover_jobs_leaves_ended_jobs_alone() -> None:
    make_job(make_session(S.UPLOADING), JobKind.STORE, state=JobState.FAILED)

    assert run("recover_jobs") == "0 queued, 0 failed, 0 made anew.\n"


@pytest.mark.django_db
def test_sync_schedules_makes_ours_and_deletes_others() -> None:
    Schedule.objects.create(name="planted", func="os.system")

    assert "each 5 min" in run("sync_schedules", "--dry-run")
    assert Schedule.objects.count() == 1
    assert run("sync_schedules") == "9 schedules in place, 1 strange ones deleted.\n"
    assert not Schedule.objects.filter(name="planted").exists()


def test_on_a_terminal_one_bar_is_redrawn_and_failures_stay() -> None:
    terminal = Terminal()
    progress = Progress(2, OutputWrapper(terminal))

    progress.step("one", keep=True)
    progress.step("two")
    progress.close()

    assert terminal.getvalue().startswith("\rone")
    assert "[###############...............] 1/2 one" in terminal.getvalue()
    assert terminal.getvalue().count("\n") == 2


def test_elsewhere_each_item_is_a_plain_line() -> None:
    out = io.StringIO()
    progress = Progress(1, OutputWrapper(out))

    progress.step("one")
    progress.close()

    assert out.getvalue() == "one\n"
