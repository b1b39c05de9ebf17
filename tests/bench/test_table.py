"""The table of ``make bench``, without measuring anything."""

from pathlib import Path

import pytest

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
