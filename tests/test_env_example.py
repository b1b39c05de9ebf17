"""``env.example`` names what settings and web server read, and works as it stands."""

import ast
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.codebase import ROOT

LINE = re.compile(r"^(?P<comment># )?(?P<name>[A-Z][A-Z_]+)=(?P<value>.*)$", re.M)
EXAMPLE = (ROOT / "env.example").read_text(encoding="utf-8")


def variables_read(source: str) -> set[str]:
    """Return the first argument of every ``env.reader("NAME", …)`` and the like."""
    return {
        call.args[0].value
        for call in ast.walk(ast.parse(source))
        if isinstance(call, ast.Call)
        and call.args
        and ast.unparse(call.func).startswith(("env.", "os.environ.get"))
        and isinstance(call.args[0], ast.Constant)
        and re.fullmatch("[A-Z_]+", str(call.args[0].value))
    }


def load_settings(
    variables: dict[str, str], folder: Path
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", "import portal.settings"],
        cwd=ROOT,
        env={"PATH": os.environ["PATH"], "DATA_DIR": str(folder)} | variables,
        capture_output=True,
        text=True,
    )


def test_env_example_names_every_variable_and_no_other() -> None:
    read = {
        name
        for path in ("portal/settings.py", "deploy/gunicorn.conf.py")
        for name in variables_read((ROOT / path).read_text(encoding="utf-8"))
    }

    named = {match["name"] for match in LINE.finditer(EXAMPLE)}

    assert named - read == {"DESTINATIONS_FILE", "SECRET_KEY_FILE"}
    assert read - named == set()


def test_the_reader_of_settings_sees_a_new_variable() -> None:
    assert variables_read("A = env.text('NEW_ONE', other('NO'))") == {"NEW_ONE"}


@pytest.mark.parametrize("with_comments", [False, True])
def test_settings_accept_the_values_of_env_example(
    with_comments: bool, tmp_path: Path
) -> None:
    variables = {
        match["name"]: match["value"]
        for match in LINE.finditer(EXAMPLE)
        if match["value"] and (with_comments or not match["comment"])
    }

    loaded = load_settings(variables, tmp_path)

    assert loaded.stderr == ""


def test_settings_refuse_to_start_without_a_secret(tmp_path: Path) -> None:
    loaded = load_settings({}, tmp_path)

    assert "SECRET_KEY is not set." in loaded.stderr
