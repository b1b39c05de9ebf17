"""A project's own transfer tasks, and what is made of their answers."""

from pathlib import Path
from typing import Any

import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import Storage

from tests.upload.queued.made import between_folders, content, known, work
from upload.queued_storage import tasks

pytestmark = pytest.mark.django_db(transaction=True)


class Notifying(tasks.Transfer):
    """The document's example of a task of one's own."""

    told: list[Any] = []

    def transfer(self, *args: Any, **kwargs: Any) -> bool:
        result = super().transfer(*args, **kwargs)
        if result:
            self.told.append(result)
        return result


class Unsure(tasks.Transfer):
    """Answers what ``answer`` says."""

    answer: Any = False

    def transfer(self, *args: Any, **kwargs: Any) -> Any:
        return self.answer


class Undecided(Unsure):
    answer = None


class Lying(Unsure):
    answer = True


class Copying(tasks.TransferAndDelete):
    """Does it all by itself."""

    def transfer(
        self, name: str, local: Storage, remote: Storage, **kwargs: Any
    ) -> bool:
        with local.open(name) as file:
            return remote.save(name, file) == name


def own(task: type) -> str:
    return f"{__name__}.{task.__name__}"


def test_a_task_of_ones_own_is_told_the_result(tmp_path: Path) -> None:
    Notifying.told.clear()
    storage = between_folders(tmp_path, task=own(Notifying))

    storage.save("a.txt", ContentFile(b"x"))
    work()

    assert Notifying.told == [True]


def test_false_is_tried_again(tmp_path: Path, settings: Any) -> None:
    settings.QUEUED_STORAGE_RETRIES = 1
    settings.QUEUED_STORAGE_RETRY_DELAY = 0
    storage = between_folders(tmp_path, task=own(Unsure))

    storage.save("a.txt", ContentFile(b"x"))
    work()

    assert known(storage, "a.txt").attempts == 2
    assert known(storage, "a.txt").error.endswith("transfer() returned False.")


def test_anything_else_is_an_error(tmp_path: Path) -> None:
    storage = between_folders(tmp_path, task=own(Undecided))

    storage.save("a.txt", ContentFile(b"x"))
    work()

    row = known(storage, "a.txt")
    assert (row.state, row.attempts) == ("failed", 1)
    assert "ValueError" in row.error


def test_a_task_that_claims_too_much_is_not_believed(
    tmp_path: Path, settings: Any
) -> None:
    settings.QUEUED_STORAGE_RETRIES = 0
    storage = between_folders(tmp_path, task=own(Lying))

    storage.save("a.txt", ContentFile(b"x"))
    work()

    row = known(storage, "a.txt")
    assert row.state == "failed"
    assert "returned True, but “a.txt” is not on the remote" in row.error


def test_a_task_may_do_it_all_by_itself(tmp_path: Path) -> None:
    storage = between_folders(tmp_path, task=own(Copying))

    storage.save("a.txt", ContentFile(b"bytes"))
    work()

    assert known(storage, "a.txt").state == "remote"
    assert content(storage, "a.txt") == b"bytes"
