"""Writers of SQLite's database take turns; nobody waits for good."""

import fcntl
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from django.db import connection, transaction

from tests.make import make_session, make_upload
from upload import turns
from upload.receive import receive
from upload.turns import in_turn

sqlite = pytest.mark.skipif(
    connection.vendor != "sqlite", reason="other databases take many writers at once"
)
of_its_own = pytest.mark.django_db(transaction=True)


def folder() -> Path:
    return Path(connection.settings_dict["NAME"]).parent


@contextmanager
def other_process() -> Iterator[None]:
    """Hold the turn as another process does: a lock is its open file's own."""
    descriptor = os.open(folder(), os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def in_thread(told: list[str]) -> threading.Thread:
    def write() -> None:
        with in_turn():
            told.append("second")

    thread = threading.Thread(target=write)
    thread.start()
    return thread


@sqlite
@of_its_own
def test_another_process_is_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = threading.Event()
    is_ours = turns._is_ours

    def ask(descriptor: int) -> bool:
        asked.set()
        return is_ours(descriptor)

    monkeypatch.setattr(turns, "_is_ours", ask)
    monkeypatch.setattr(turns, "MOST_SECONDS", 60)
    told: list[str] = []
    with other_process():
        thread = in_thread(told)
        assert asked.wait(30)
        told.append("first")
    thread.join(30)
    assert told == ["first", "second"]


@sqlite
@of_its_own
def test_a_file_comes_in_when_it_is_its_turn(monkeypatch: pytest.MonkeyPatch) -> None:
    session = make_session()
    found: list[int] = []
    is_ours = turns._is_ours

    def ask(descriptor: int) -> bool:
        got = is_ours(descriptor)
        if got:
            found.append(session.tempuploadedfile_set.count())
        return got

    monkeypatch.setattr(turns, "_is_ours", ask)
    receive(session, make_upload())
    assert found == [0]
    assert session.tempuploadedfile_set.count() == 1


class Line:
    """A lock that tells when it is asked for."""

    def __init__(self) -> None:
        self._lock, self.asked = threading.Lock(), threading.Event()
        self.release = self._lock.release

    def acquire(self, timeout: float) -> bool:
        self.asked.set()
        return self._lock.acquire(timeout=timeout)


@sqlite
@of_its_own
def test_threads_line_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(turns, "_is_ours", lambda descriptor: True)
    monkeypatch.setattr(turns, "MOST_SECONDS", 60)
    line = Line()
    monkeypatch.setattr(turns, "_line", line)
    told: list[str] = []
    with in_turn():
        line.asked.clear()
        thread = in_thread(told)
        assert line.asked.wait(30)
        told.append("first")
    thread.join(30)
    assert told == ["first", "second"]


@sqlite
@of_its_own
def test_who_waited_long_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(turns, "MOST_SECONDS", 0.01)
    asked: list[bool] = []
    is_ours = turns._is_ours

    def ask(descriptor: int) -> bool:
        asked.append(is_ours(descriptor))
        return asked[-1]

    monkeypatch.setattr(turns, "_is_ours", ask)
    told: list[str] = []
    with other_process():
        in_thread(told).join(30)
    assert told == ["second"]
    assert asked and not any(asked)
    with in_turn():  # of another thread
        in_thread(told).join(30)
    assert told == ["second", "second"]


@of_its_own
def test_a_transaction_does_not_wait_in_the_middle(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def refuse(folder: Path, held: object) -> None:
        raise AssertionError(f"waits for {folder}")

    monkeypatch.setattr(turns, "_take", refuse)
    with transaction.atomic(), in_turn():
        pass


@sqlite
@of_its_own
def test_without_a_folder_to_lock_the_work_goes_on(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(turns, "_folder", lambda: tmp_path / "gone")
    with in_turn():
        pass
    with in_turn():  # the line of threads was left as well
        pass


@sqlite
@of_its_own
def test_a_turn_that_cannot_be_given_back_fails_nothing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    taken: list[int] = []

    def note(descriptor: int) -> bool:
        taken.append(descriptor)
        return True

    monkeypatch.setattr(turns, "_is_ours", note)
    with in_turn():
        os.close(taken[0])  # so that closing it again is an error
    assert not turns._line.locked()


@sqlite
@of_its_own
def test_the_turn_ends_with_an_error() -> None:
    with pytest.raises(ValueError, match="odd"), in_turn():
        raise ValueError("odd")
    descriptor = os.open(folder(), os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    finally:
        os.close(descriptor)
    assert not turns._line.locked()
