"""SQLite's index of names: filled behind the files, right at every moment of it."""

import threading
from datetime import timedelta
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
from django.apps import apps
from django.core.management import call_command
from django.db import OperationalError, connection
from django.db.models.signals import post_migrate
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


def candidates(phrase: str) -> int:
    """Return how many names the index thinks may hold the phrase."""
    question = name_index.of_phrase(phrase)[TempUploadedFile].question
    with connection.cursor() as cursor:
        asked = "SELECT count(*) FROM upload_tempuploadedfile_names(%s)"
        cursor.execute(asked, [question])
        return int(cursor.fetchone()[0])


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


@pytest.mark.parametrize(
    "phrase",
    ["harbour diary", "r d", "a b c", "diary  of", " of", "of a b", "港 日記", "1903"],
)
def test_words_are_found_wherever_they_meet(phrase: str) -> None:
    wanted = session_of("Harbour Diary  of a B c 港 日記 1903.txt")
    session_of("Diary Harbour of.txt")
    name_index.extend()
    assert wanted.pk in found(phrase)


def test_of_words_side_by_side_few_candidates_are_read() -> None:
    """As one by one they stand in many names."""
    session_of("Harbour Diary.txt")
    session_of("Diary Harbour.txt")
    name_index.extend()
    assert candidates("harbour diary") == 1


def test_the_seldom_word_of_a_phrase_is_asked_for() -> None:
    session_of("Minutes of the Zanzibar Council.txt")
    session_of("Minutes of the Council.txt")
    session_of("Register of the Harbour.txt")
    name_index.extend()
    assert candidates("minutes of the zanzibar") == 1
    assert candidates("of the harbour") == 1
    assert candidates("minutes of the") == 2


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


@pytest.mark.parametrize("dropped", [0, 1, 2])
def test_without_an_index_the_names_are_read(
    dropped: int, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(name_index, "_absent", threading.Event())
    wanted = session_of("map.txt")
    name_index.extend()
    drop(dropped)
    assert name_index.extend() == 0
    assert found("map") == [wanted.pk]
    assert name_index.of_phrase("map") == {}
    assert "damaged" not in caplog.text


def drop(number: int) -> None:
    table = list(name_index.INDEXES.values())[number].table
    with connection.cursor() as cursor:
        cursor.execute(f"DROP TABLE {table}")


def damage(model: type[Any]) -> None:
    table = f"{name_index.INDEXES[model].table}_data"
    with connection.cursor() as cursor:
        cursor.execute(f"DELETE FROM {table} WHERE id IN (1, 10)")  # noqa: S608 - ours


def test_a_damaged_index_is_told_of_and_the_names_are_read(
    caplog: pytest.LogCaptureFixture,
) -> None:
    wanted = session_of("map.txt")
    name_index.extend()
    damage(TempUploadedFile)
    assert found("map") == [wanted.pk]
    assert "damaged" in caplog.text


@pytest.mark.django_db(transaction=True)
def test_ids_that_a_remade_table_gives_again_are_indexed_again() -> None:
    for number in range(5):
        session_of(f"map {number}.txt")
    name_index.extend()
    TempUploadedFile.objects.all().delete()
    with connection.schema_editor() as editor:
        editor._remake_table(TempUploadedFile)
    send_migrated(plan=[("a migration", False)])
    wanted = session_of("plan.txt")
    assert found("plan") == [wanted.pk]
    name_index.extend()
    assert found("plan") == [wanted.pk]


def send_migrated(**more: Any) -> None:
    config = apps.get_app_config("upload")
    post_migrate.send(sender=config, app_config=config, using="default", **more)


@pytest.mark.parametrize(
    ("more", "is_kept"), [({"plan": []}, True), ({"plan": ["one"]}, False), ({}, False)]
)
def test_an_index_outlives_a_migrate_that_does_nothing(
    more: dict[str, Any], is_kept: bool
) -> None:
    session_of("map.txt")
    name_index.extend()
    send_migrated(**more)
    assert Rollup.objects.filter(name=name_index.ROLLUP).exists() is is_kept


def test_what_a_fixture_brings_is_found(tmp_path: Path) -> None:
    wanted = session_of("map.txt")
    name_index.extend()
    fixture = tmp_path / "all.json"
    call_command("dumpdata", "upload", "portal.User", output=str(fixture))
    migration.drop_indexes(apps, InTransaction())
    migration.make_indexes(apps, InTransaction())
    UploadSession.objects.all().delete()
    call_command("loaddata", str(fixture), verbosity=0)
    assert found("map") == [wanted.pk]
    name_index.extend()
    assert found("map") == [wanted.pk]


class InTransaction:
    """Executes as a schema editor does, which SQLite wants outside of transactions."""

    connection = connection

    def execute(self, sql: str) -> None:
        with connection.cursor() as cursor:
            cursor.execute(sql)


def test_a_search_is_of_one_moment(
    submission: Submission, monkeypatch: pytest.MonkeyPatch
) -> None:
    of_phrase = name_index.of_phrase

    def and_then_begin_anew(phrase: str) -> Any:
        asked = of_phrase(phrase)
        monkeypatch.setattr(name_index, "ROWS_AT_ONCE", 0)
        index_again()
        return asked

    monkeypatch.setattr(name_index, "of_phrase", and_then_begin_anew)
    assert found("minutes") == [submission.upload_session_id]


def test_a_submission_is_saved_though_the_index_is_damaged(
    submission: Submission,
) -> None:
    damage(Submission)
    submission.title = "Ledger"
    submission.save()
    assert found("ledger") == [submission.upload_session_id]


def test_a_sqlite_that_cannot_is_told_of() -> None:
    with pytest.warns(UserWarning, match="no FTS5"):
        migration.make_indexes(None, Refusing("no such module: fts5"))


def test_another_error_of_the_migration_is_no_lack_of_an_index() -> None:
    with pytest.raises(OperationalError, match="full"):
        migration.make_indexes(None, Refusing("database or disk is full"))


class Refusing:
    connection = connection

    def __init__(self, why: str) -> None:
        self.why = why

    def execute(self, sql: str) -> None:
        raise OperationalError(self.why)


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
