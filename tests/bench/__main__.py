"""Run every measurement and print one table: ``python -m tests.bench [NAME …]``.

A NAME such as ``store`` chooses ``bench_store.py``. Ends with 1 when a limit does not
hold. The database is a new SQLite file, for some a PostgreSQL server of their own (see
``apart``), or what ``TEST_DATABASE_URL`` names.
"""

import os
import sys
from importlib import import_module
from pathlib import Path

from tests.bench import apart

type Row = tuple[str, str, str, bool]

HEADER = ("figure", "measured", "limit", "holds")


def main(names: list[str]) -> int:
    chosen = [name for name in found(Path(__file__).parent) if chosen_by(names, name)]
    if not chosen:
        sys.stdout.write("No measurement was found: write tests/bench/bench_NAME.py.\n")
        return 1 if names else 0
    _open_database()
    rows = [row for name in chosen for row in measured(name)]
    if (path := apart.rows_file()) is not None:
        apart.leave(rows, path)
        return 0
    sys.stdout.write(table(rows))
    return 0 if all(holds for *_, holds in rows) else 1


def measured(module: str) -> list[Row]:
    """Run one measurement, where it wants a database of its own in a process apart."""
    bench = import_module(module)
    own_database = getattr(bench, "OWN_DATABASE", "")
    if apart.is_needed(own_database):
        return apart.measured(module.rpartition(".bench_")[2], own_database)
    return list(bench.run())


def found(folder: Path) -> list[str]:
    return [f"tests.bench.{path.stem}" for path in sorted(folder.glob("bench_*.py"))]


def chosen_by(names: list[str], module: str) -> bool:
    return not names or module.rpartition(".bench_")[2] in names


def table(rows: list[Row]) -> str:
    """Return the rows as aligned text, one a line, under a header."""
    lines = [HEADER, *((*texts, "yes" if holds else "NO") for *texts, holds in rows)]
    widths = [max(len(cell) for cell in column) for column in zip(*lines, strict=True)]
    return "".join(_line(line, widths) for line in lines)


def _line(cells: tuple[str, ...], widths: list[int]) -> str:
    padded = (cell.ljust(width) for cell, width in zip(cells, widths, strict=True))
    return "  ".join(padded).rstrip() + "\n"


def _open_database() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.settings")
    import django
    from django.core.management import call_command

    django.setup()
    call_command("migrate", verbosity=0)

    from upload import heap

    heap.settle()  # as each worker and the web server do


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
