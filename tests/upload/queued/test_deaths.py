"""Workers that are killed, paused or told to stop in the middle of transfers."""

import json
import os
import signal
import subprocess
import sys
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.core.files.base import ContentFile
from django.utils import timezone

from tests.codebase import ROOT
from tests.upload.queued.made import (
    DELETING_TASK,
    between_folders,
    content,
    known,
    to_remote,
    work,
)
from tests.upload.queued.remotes import entry_of
from upload.queued_storage import attempts, draining, records, settling, watch
from upload.queued_storage.models import DrainRequest, FileState, QueuedFile
from upload.queued_storage.sending import Sending
from upload.queued_storage.tasks import Transfer

pytestmark = pytest.mark.django_db(transaction=True)


def let_leases_run_out() -> None:
    past = timezone.now() - timedelta(seconds=1)
    QueuedFile.objects.filter(next_run_at__gt=past).update(next_run_at=past)
    DrainRequest.objects.update(is_asked=False)
    watch.recover()


def test_a_killed_attempt_is_counted_and_made_again(tmp_path: Path) -> None:
    storage = between_folders(tmp_path)
    storage.save("a.txt", ContentFile(b"bytes"))
    records.claim(storage.storage_key, 1)  # and its process is gone

    let_leases_run_out()
    work()

    row = known(storage, "a.txt")
    assert (row.state, row.attempts) == ("both", 2)


def test_a_file_that_kills_its_workers_fails_in_the_end(
    tmp_path: Path, settings: Any
) -> None:
    settings.QUEUED_STORAGE_RETRIES = 2
    storage = between_folders(tmp_path)
    storage.save("a.txt", ContentFile(b"bytes"))
    for _death in range(3):
        assert records.claim(storage.storage_key, 1)
        let_leases_run_out()

    work()

    row = known(storage, "a.txt")
    assert row.state == "failed"
    assert "3 times" in row.error
    assert not (tmp_path / "there/a.txt").exists()


def test_a_suspect_is_taken_alone(tmp_path: Path) -> None:
    storage = between_folders(tmp_path)
    storage.save("bad.txt", ContentFile(b"x"))
    records.claim(storage.storage_key, 1)
    storage.save("good.txt", ContentFile(b"x"))
    let_leases_run_out()

    taken = records.claim(storage.storage_key, 16)

    assert [row.name for row in taken] == ["bad.txt"]


def test_a_claim_is_one_workers_only(tmp_path: Path) -> None:
    storage = between_folders(tmp_path)
    storage.save("a.txt", ContentFile(b"x"))

    first = records.claim(storage.storage_key, 16)
    second = records.claim(storage.storage_key, 16)

    assert (len(first), second) == (1, [])


def attempted(storage: Any) -> tuple[QueuedFile, Any]:
    """Claim the one due file and send it; nothing is settled yet."""
    row = records.claim(storage.storage_key, 1)[0]
    task: Transfer = draining.made_task(storage.task)
    sending = Sending(row.name, row.remote_name, attempts.expected_of(row))
    return row, attempts.attempt(storage, task, row, sending)


def test_a_worker_that_wakes_up_late_settles_nothing(tmp_path: Path) -> None:
    storage = between_folders(tmp_path)
    storage.save("a.txt", ContentFile(b"bytes"))
    _row, outcome = attempted(storage)
    let_leases_run_out()
    work()
    settled = known(storage, "a.txt")

    settling.settle(storage, [outcome], settling.Counts())

    now = known(storage, "a.txt")
    assert (now.state, now.transferred_at) == ("both", settled.transferred_at)
    assert (tmp_path / "there/a.txt").read_bytes() == b"bytes"


def test_a_file_deleted_while_it_was_sent_leaves_nothing(tmp_path: Path) -> None:
    storage = between_folders(tmp_path)
    storage.save("a.txt", ContentFile(b"bytes"))
    _row, outcome = attempted(storage)
    storage.delete("a.txt")
    assert (tmp_path / "there/a.txt").exists()

    settling.settle(storage, [outcome], settling.Counts())
    work()

    assert not (tmp_path / "there/a.txt").exists()
    assert QueuedFile.objects.count() == 0


def test_a_deletion_waits_for_the_transfer_under_way(tmp_path: Path) -> None:
    storage = between_folders(tmp_path)
    storage.save("a.txt", ContentFile(b"bytes"))
    records.claim(storage.storage_key, 1)

    storage.delete("a.txt")
    work()

    assert storage.exists("a.txt") is False
    assert known(storage, "a.txt").state == "deleting"
    let_leases_run_out()
    work()
    assert QueuedFile.objects.count() == 0


def test_a_crash_before_the_local_deletion_is_rolled_forward(tmp_path: Path) -> None:
    storage = between_folders(tmp_path, task=DELETING_TASK)
    storage.save("a.txt", ContentFile(b"bytes"))
    work()
    (tmp_path / "here/a.txt").write_bytes(b"bytes")
    QueuedFile.objects.update(local_left=True, next_run_at=timezone.now())
    assert content(storage, "a.txt") == b"bytes"

    let_leases_run_out()
    work()

    assert not (tmp_path / "here/a.txt").exists()
    assert known(storage, "a.txt").local_left is False


def test_a_lost_queue_is_found_by_the_watchdog(tmp_path: Path) -> None:
    from django_q.models import OrmQ

    storage = between_folders(tmp_path)
    storage.save("a.txt", ContentFile(b"bytes"))
    OrmQ.objects.all().delete()
    assert watch.recover() == 0  # the request is young: its task may be on its way

    DrainRequest.objects.update(asked_at=timezone.now() - timedelta(minutes=5))
    assert watch.recover() == 1
    work()

    assert known(storage, "a.txt").state == "both"


def test_a_worker_told_to_stop_gives_its_files_back(
    tmp_path: Path, settings: Any
) -> None:
    storage = between_folders(tmp_path)
    for number in range(40):
        storage.save(f"{number}.txt", ContentFile(b"x"))
    settings.WORKER_STOP_FILE = str(tmp_path / "stop")
    (tmp_path / "stop").touch()

    told = draining.drain(storage.storage_key)

    waiting = QueuedFile.objects.filter(state=FileState.DUE)
    assert waiting.count() >= 40 - draining.HANDFUL
    assert set(waiting.values_list("attempts", flat=True)) == {0}
    assert "0 failed" in told


LONG = os.urandom(1 << 20) * 8
# In the first chunk, among the others, and between the last byte and the row.
DEATHS = ["1", "5", "30", "sent"]


@pytest.mark.parametrize("kind", ["s3", "sftp-rclone"])
@pytest.mark.parametrize("when", DEATHS)
def test_a_worker_killed_in_the_middle_loses_and_doubles_nothing(
    tmp_path: Path,
    kind: str,
    when: str,
    request: pytest.FixtureRequest,
    program_environment: dict[str, str],
) -> None:
    entry = entry_of(kind, request)
    storage = to_remote(tmp_path, entry, task=DELETING_TASK, identity="killed")
    names = [storage.save(f"{number}.bin", ContentFile(LONG)) for number in range(4)]

    killed = subprocess.run(
        [sys.executable, "-m", "tests.upload.queued.dying", when, str(tmp_path)],
        cwd=ROOT,
        env=program_environment,
        input=json.dumps(entry),
        text=True,
        check=False,
    )
    assert killed.returncode == -signal.SIGKILL
    assert any(row.state == FileState.SENDING for row in QueuedFile.objects.all())
    let_leases_run_out()
    work()

    assert [known(storage, name).state for name in names] == ["remote"] * 4
    assert [content(storage, name) == LONG for name in names] == [True] * 4
    assert storage.remote.listdir("") == ([], names)
