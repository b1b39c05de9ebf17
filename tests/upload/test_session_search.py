"""The ways a search goes: a list of ids, or a condition asked of each session."""

import pytest
from django.db import connection

from tests.make import make_session, make_user
from upload import commonness, name_index, session_search
from upload.among import among
from upload.models import Submission, TempUploadedFile, UploadSession
from upload.session_search import find
from upload.states import SessionStatus as S

pytestmark = pytest.mark.django_db

NAMES = (
    "Harbour Diary 1901.txt",
    "diary of the harbour.txt",
    "A-0001-00002.txt",
    "50% off_map.txt",
    "50 off map.txt",
    "議事録 第1回.txt",
    "Größe und Maß.txt",
)
PHRASES = (
    *("harbour diary", "HARBOUR", "diary of", "our dia", "r d", "1901.txt", "diary 19"),
    *("A-0001", "0001-00002", "00002", "50% off", "off_map", "off map", "%", "_"),
    *("議事", "議事録 第1", "größe und", "und Ma", "nowhere at all"),
)


def _sessions() -> dict[int, str]:
    """Return sessions by the text that finds them, stored or not."""
    states = [S.UPLOADING, S.STORED] * len(NAMES)
    made = {
        make_session(state, {name: b"1"}).pk: name
        for name, state in zip(NAMES, states, strict=False)
    }
    titled = make_session()
    Submission.objects.create(
        title="The Harbour Diary", accession_number="A-0001", upload_session=titled
    )
    return made | {titled.pk: "The Harbour Diary A-0001"}


def _found(phrase: str) -> set[int]:
    rows = UploadSession.objects.filter(find(phrase).condition)
    return set(rows.values_list("pk", flat=True))


@pytest.mark.parametrize("indexed", [False, True])
@pytest.mark.parametrize("phrase", PHRASES)
def test_every_way_finds_the_same(
    phrase: str, indexed: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    sessions = _sessions()
    if indexed:
        name_index.extend()
    assert find(phrase).is_listed
    listed = _found(phrase)

    monkeypatch.setattr(session_search, "MOST_ROWS", -1)
    by_ids = _found(phrase)
    monkeypatch.setattr(session_search, "FEW_SESSIONS", -1)
    by_each = _found(phrase)

    assert listed == by_ids == by_each
    if len(phrase) >= session_search.SHORTEST_INSIDE:
        inside = {k for k, text in sessions.items() if phrase.lower() in text.lower()}
        assert listed == inside


def test_what_a_sample_calls_common_is_asked_of_each_session(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    wanted = {make_session(S.STORED, {f"map {n}.txt": b"1"}).pk for n in range(6)}
    for number in range(6):
        make_session(S.STORED, {f"plan {number}.txt": b"1"})
    make_session(S.STORED, {f"seldom {n}.txt": b"1" for n in range(20)})
    monkeypatch.setattr(commonness, "LEAST_BLOCKS", 0)
    monkeypatch.setattr(commonness, "LEAST_KEYS", 0)
    # Whatever other tests have left behind in the tables, all is sampled.
    monkeypatch.setattr(commonness, "STRETCHES", 10**6)
    monkeypatch.setattr(commonness, "ROWS_A_STRETCH", 300)

    assert find("map").is_listed is False
    assert _found("map") == wanted
    assert find("seldom").is_listed is True  # one session, however many files
    assert find("map 1").is_listed is True


def test_small_tables_are_searched_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    for number in range(8):
        make_session(S.STORED, {f"map {number}.txt": b"1"})

    assert find("map").is_listed


def test_many_people_of_a_name_are_found_by_the_database(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    wanted = {make_session(user=make_user(f"ada{n}")).pk for n in range(3)}
    make_session(user=make_user("grace"))
    monkeypatch.setattr(session_search, "MOST_PEOPLE", 2)

    assert _found("ada") == wanted


def test_more_ids_than_a_statement_has_room_for() -> None:
    session = make_session()
    rows = UploadSession.objects.filter(among("pk", range(300_000)))
    none = UploadSession.objects.filter(among("pk", []))

    assert [row.pk for row in rows] == [session.pk]
    assert not none.exists()


@pytest.mark.parametrize(
    ("phrase", "asked"),
    [
        ("Ledger Minutes 1901", {"%Minu%", "%Led%", "%1901%"}),
        ("0999950-00001", {"%0999950%", "%00001%"}),
        ("map 12", {"%map%"}),
        ("harbour", {"%harbour%"}),
    ],
)
def test_an_index_is_asked_for_beginnings_and_for_numbers_whole(
    phrase: str, asked: set[str]
) -> None:
    if connection.vendor != "postgresql":
        pytest.skip("SQLite's index is asked otherwise.")
    condition = session_search._indexed("name", phrase)
    sql, parameters = TempUploadedFile.objects.filter(condition).query.sql_with_params()
    assert asked == {p for p in parameters if str(p).startswith("%")}, sql
