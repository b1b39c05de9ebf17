"""Run a measurement that needs a database of its own in a process of its own.

A module says so by ``OWN_DATABASE``: ``"sqlite"``, a new file that nobody else fills,
or ``"postgresql"``, a server that is started for it and deleted afterwards. Where
``TEST_DATABASE_URL`` names a database, that one is used and no process started.
"""

import json
import os
import subprocess
import sys
import tempfile
from contextlib import ExitStack
from pathlib import Path

from tests.services.postgresql import server

type Row = tuple[str, str, str, bool]

ROWS_FILE = "BENCH_ROWS_FILE"
DATABASE = "TEST_DATABASE_URL"
# By these a process would go on in the folder of the one that started it.
OF_THIS_PROCESS = {"MUNIMENT_TEST_FOLDER", "SECRET_KEY"}


def is_needed(own_database: str) -> bool:
    """Return whether a module's wish for a database of its own needs a process."""
    return bool(own_database) and DATABASE not in os.environ and rows_file() is None


def rows_file() -> Path | None:
    """Return where this process leaves its rows, if another one waits for them."""
    path = os.environ.get(ROWS_FILE)
    return Path(path) if path else None


def measured(name: str, own_database: str) -> list[Row]:
    """Run the measurement ``name``, for example ``scale``, and return its rows.

    Raise ``CalledProcessError`` where it did not come to its end.
    """
    environment = {k: v for k, v in os.environ.items() if k not in OF_THIS_PROCESS}
    with ExitStack() as stack:
        folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="muniment-"))
        rows = Path(folder) / "rows.json"
        environment[ROWS_FILE] = str(rows)
        if own_database == "postgresql":
            environment[DATABASE] = stack.enter_context(server())
        program = [sys.executable, "-m", "tests.bench", name]
        subprocess.run(program, env=environment, check=True)
        return [
            (str(figure), str(found), str(limit), bool(holds))
            for figure, found, limit, holds in json.loads(rows.read_text())
        ]


def leave(rows: list[Row], path: Path) -> None:
    """Write the rows for the process that waits for them."""
    path.write_text(json.dumps(rows))
