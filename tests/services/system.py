"""Programs of the system that a test needs, found or answered for.

A missing one skips the test on a person's machine and fails it where ``CI`` is true:
there a skipped test would hide that nothing was tested.
"""

import os
import shutil

import pytest


def require_program(name: str, *others: str) -> str:
    """Return the path of the first of these programs that is installed."""
    for candidate in (name, *others):
        if path := shutil.which(candidate):
            return path
    missing(f'The program "{name}" is not installed. Run tests/services/install.sh.')


def missing(what: str) -> None:
    """End the test: skipped with this sentence, or failed where CI is true."""
    if os.environ.get("CI", "").lower() in {"1", "true"}:
        pytest.fail(what)
    pytest.skip(what)
