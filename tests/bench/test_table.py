"""The table of ``make bench``, without measuring anything."""

from pathlib import Path

import pytest

from tests.bench import apart
from tests.bench.__main__ import chosen_by, found, main, table


def test_the_table_is_aligned_and_shouts_where_a_limit_does_not_hold() -> None:
    text = table([("store", "41 s", "90 s", True), ("copy", "2 s", "1 s", False)])

    assert text.splitlines() == [
        "figure  measured  limit  holds",
        "store   41 s      90 s   yes",
        "copy    2 s       1 s    NO",
    ]


def test_measurements_are_found_by_their_file_name(tmp_path: Path) -> None:
    for name in ("bench_store.py", "bench_copy.py", "test_x.py"):
        (tmp_path / name).touch()

    assert found(tmp_path) == ["tests.bench.bench_copy", "tests.bench.bench_store"]


def test_a_name_chooses_one_measurement() -> None:
    assert chosen_by(["store"], "tests.bench.bench_store")
    assert not chosen_by(["store"], "tests.bench.bench_copy")


def test_an_unknown_name_is_an_error(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["nothing"]) == 1
    assert "No measurement was found" in capsys.readouterr().out


def test_a_measurement_with_a_database_of_its_own_is_run_apart(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name in (apart.DATABASE, apart.ROWS_FILE):
        monkeypatch.delenv(name, raising=False)
    assert apart.is_needed("postgresql")
    assert not apart.is_needed("")

    monkeypatch.setenv(apart.DATABASE, "postgres://elsewhere")
    assert not apart.is_needed("postgresql")


def test_rows_are_handed_to_the_process_that_waits_for_them(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv(apart.ROWS_FILE, str(tmp_path / "rows"))
    path = apart.rows_file()

    assert path is not None
    apart.leave([("a", "1 s", "2 s", True)], path)
    assert path.read_text() == '[["a", "1 s", "2 s", true]]'
