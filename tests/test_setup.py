"""``deploy/setup.sh`` and the locks, tried in a folder that holds nothing else."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.codebase import ROOT

LOCKS = ["requirements.lock", "requirements-dev.lock", "requirements-boot.lock"]
# What a system always has; no Python among them.
TOOLS = ["cat", "cmp", "cp", "dirname", "rm", "touch"]


@pytest.fixture
def bare_tree(tmp_path: Path) -> Path:
    """Return a copy of what setup reads, with a PATH folder without any Python."""
    tree = tmp_path / "tree"
    (tree / "deploy").mkdir(parents=True)
    for name in [".python-version", "deploy/setup.sh", *LOCKS]:
        shutil.copy(ROOT / name, tree / name)
    (tree / "bin").mkdir()
    for tool in TOOLS:
        (tree / "bin" / tool).symlink_to(str(shutil.which(tool)))
    return tree


def set_up(tree: Path, *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["/bin/sh", tree / "deploy/setup.sh", *words],
        env={"PATH": str(tree / "bin")},
        capture_output=True,
        text=True,
    )


def pretend_installed(tree: Path, lock: str) -> None:
    (tree / ".venv/bin").mkdir(parents=True)
    (tree / ".venv/bin/python").symlink_to(sys.executable)
    shutil.copy(tree / lock, tree / ".venv/installed.lock")


def pins(lock: str) -> set[str]:
    return set(re.findall(r"^[\w.\[\]-]+==[^ ;\\]+", (ROOT / lock).read_text(), re.M))


def test_setup_says_what_to_do_where_no_python_is_found(bare_tree: Path) -> None:
    done = set_up(bare_tree)

    assert done.returncode == 1
    assert "No Python 3.12 or newer was found" in done.stderr
    assert "run make setup again." in done.stderr


def test_setup_does_nothing_where_the_lock_is_installed(bare_tree: Path) -> None:
    pretend_installed(bare_tree, "requirements.lock")

    done = set_up(bare_tree)

    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_setup_starts_again_where_the_lock_has_changed(bare_tree: Path) -> None:
    pretend_installed(bare_tree, "requirements.lock")
    (bare_tree / "requirements.lock").write_text("new==1\n")

    done = set_up(bare_tree)

    assert "installing requirements.lock into .venv." in done.stdout


def test_setup_keeps_the_dev_packages_once_they_are_there(bare_tree: Path) -> None:
    pretend_installed(bare_tree, "requirements-dev.lock")
    (bare_tree / ".venv/dev").touch()

    assert set_up(bare_tree).stdout == ""


def test_setup_adds_the_dev_packages_where_they_are_asked_for(bare_tree: Path) -> None:
    pretend_installed(bare_tree, "requirements.lock")

    done = set_up(bare_tree, "dev")

    assert "installing requirements-dev.lock into .venv." in done.stdout


def test_the_dev_lock_holds_every_pin_of_the_other_lock() -> None:
    assert pins("requirements.lock") - pins("requirements-dev.lock") == set()


@pytest.mark.parametrize("lock", LOCKS)
def test_a_lock_names_no_host_and_hashes_every_pin(lock: str) -> None:
    text = (ROOT / lock).read_text(encoding="utf-8")

    assert "://" not in text
    assert "index" not in text
    assert len(re.findall(r"==\S+.*\\\n    --hash=sha256:", text)) == len(pins(lock))


@pytest.mark.parametrize(
    "script", sorted(p.name for p in (ROOT / "deploy").glob("*.sh"))
)
def test_scripts_are_plain_shell_and_stop_at_errors(script: str) -> None:
    text = (ROOT / "deploy" / script).read_text(encoding="utf-8")

    checked = subprocess.run(["/bin/sh", "-n"], input=text, text=True)

    assert checked.returncode == 0
    assert re.search(r"^set -e?u$", text, re.M)
