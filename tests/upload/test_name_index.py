"""SQLite's index of names: filled behind the files, right at every moment of it."""

from datetime import timedelta
from importlib import import_module
from typing import Any

import pytest
from django.db import OperationalError, connection
from django.test.utils import CaptureQueriesContext

from tests.make import make_session
from upload import name_index
from upload.models import Rollup, Submission, TempUploadedFile, UploadSession
from upload.session_search import find
from upload.states import SessionStatus as S

pytestmark = [
    pytest.mark.django_db,
    pytest.mark.skipif(connection.vendor != "sqlite", reason="is SQLite's own"),
]
migration: Any = import_module("upload.migrations.0016_name_index")


def session_of(name: str, status: S = S.UPLOADING) -> UploadSession:
    return make_session(status, {name: b"1"})


def found(phrase: str) -> list[int]:
    rows = UploadSession.objects.filter(find(phrase).condition).order_by("pk")
    return list(rows.values_list("pk", flat=True))


def index_again() -> None:
    """Let the next run be the first of a day."""
    for kept in Rollup.objects.filter(name=name_index.ROLLUP):
        kept.counted_at -= timedelta(days=1)
        kept.save()
    name_index.extend()


def test_the_index_is_asked_and_not_each_name() -> None:
    wanted = session_of("Harbour Diary 1901.txt")
    session_of("Letter.txt")
    name_index.extend()
    with CaptureQueriesContext(connection) as queries:
        assert found("our dia") == [wanted.pk]
    assert any(" MATCH " in query["sql"] for query in queries)


def test_stored_files_are_indexed_as_well() -> None:
    wanted = session_of("Harbour Diary 1901.txt", S.STORED)
    assert name_index.extend() == 1
    assert found("harbour") == [wanted.pk]


def test_names_that_came_since_are_found() -> None:
    first = session_of("map 1.txt")
    name_index.extend()
    later = session_of("map 2.txt")
    assert found("map") == [first.pk, later.pk]
    assert name_index.extend() == 1
    assert found("map") == [first.pk, later.pk]
    assert name_index.extend() == 0


def test_names_that_are_gone_are_not_found() -> None:
    session = session_of("map 1.txt")
    name_index.extend()
    TempUploadedFile.objects.all().delete()
    assert found("map 1") == []
    assert UploadSession.objects.filter(pk=session.pk).exists()


@pytest.mark.parametrize(
    "phrase",
    ['say "hi"', "AND", "NOT (", "'; --", "a*b", "name:x", "-dash", "^caret"],
)
def test_no_phrase_is_read_as_a_question(phrase: str) -> None:
    wanted = session_of("a say hi AND NOT ( '; -- a*b name:x -dash ^caret.txt")
    name_index.extend()
    assert found(phrase) == ([] if '"' in phrase else [wanted.pk])


def test_a_run_ends_after_some_seconds(monkeypatch: pytest.MonkeyPatch) -> None:
    for number in range(5):
        session_of(f"map {number}.txt")
    monkeypatch.setattr(name_index, "ROWS_AT_ONCE", 2)
    assert name_index.extend(clock=iter([0.0, 1.0, 9.0]).__next__) == 4
    assert len(found("map")) == 5
    assert name_index.extend() == 1


def test_once_a_day_an_index_of_files_that_are_gone_is_made_anew(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(name_index, "STALE_FROM", 3)
    for number in range(3):
        session_of(f"map {number}.txt")
    name_index.extend()
    UploadSession.objects.all().delete()
    wanted = session_of("plan.txt")
    name_index.extend()
    assert rows_of(TempUploadedFile) == 4
    index_again()
    assert rows_of(TempUploadedFile) == 1
    assert found("plan") == [wanted.pk]
    index_again()
    assert rows_of(TempUploadedFile) == 1


def rows_of(model: type[Any]) -> int:
    figures = Rollup.objects.get(name=name_index.ROLLUP).figures
    return int(figures[name_index.INDEXES[model].table]["rows"])


def test_lost_figures_begin_anew() -> None:
    wanted = session_of("map.txt")
    name_index.extend()
    Rollup.objects.all().delete()
    assert found("map") == [wanted.pk]
    assert name_index.extend() == 1
    assert found("map") == [wanted.pk]


def test_without_an_index_the_names_are_read() -> None:
    wanted = session_of("map.txt")
    with connection.cursor() as cursor:
        for indexed in name_index.INDEXES.values():
            cursor.execute(f"DROP TABLE {indexed.table}")
    assert name_index.extend() == 0
    assert found("map") == [wanted.pk]


def test_a_sqlite_that_cannot_is_told_of() -> None:
    class Editor:
        connection = connection

        def execute(self, sql: str) -> None:
            raise OperationalError("no such module: fts5")

    with pytest.warns(UserWarning, match="no FTS5"):
        migration.make_indexes(None, Editor())


@pytest.fixture
def submission() -> Submission:
    made: Submission = Submission.objects.create(
        title="Minutes", accession_number="A-0001", upload_session=make_session()
    )
    name_index.extend()
    return made


@pytest.mark.parametrize("phrase", ["minutes", "INU", "A-00", "a-0001"])
def test_titles_and_accession_numbers_are_found(
    phrase: str, submission: Submission
) -> None:
    assert found(phrase) == [submission.upload_session_id]


def test_a_changed_title_is_found_at_once_and_the_old_one_no_more(
    submission: Submission,
) -> None:
    submission.title, submission.accession_number = "Ledger", "B-0002"
    submission.save()
    assert found("ledger") == found("B-000") == [submission.upload_session_id]
    assert found("minutes") == found("A-0001") == []


def test_a_title_changed_beside_the_model_is_found_the_next_day(
    submission: Submission,
) -> None:
    Submission.objects.filter(pk=submission.pk).update(title="Ledger")
    index_again()
    assert found("ledger") == [submission.upload_session_id]
    assert rows_of(Submission) == 1
