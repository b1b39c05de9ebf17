"""``run_portal`` as a person uses it: from nothing to a sign-in page, and back."""

import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests

from tests.codebase import ROOT


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return int(probe.getsockname()[1])


@pytest.fixture
def portal(tmp_path: Path) -> "Iterator[subprocess.Popen[str]]":
    """Start the command on a folder of its own, in a process group of its own."""
    environment = os.environ | {
        "DJANGO_SETTINGS_MODULE": "portal.settings",
        "DATA_DIR": str(tmp_path),
        "DATABASE_URL": f"sqlite:///{tmp_path}/muniment.sqlite3",
        "REMOVAL_NEEDS_APPROVAL": "0",
        "PYTHONUNBUFFERED": "1",
    }
    with (tmp_path / "errors.log").open("w") as errors:
        process = subprocess.Popen(
            [sys.executable, "manage.py", "run_portal", "--port", str(free_port())],
            cwd=ROOT,
            env=environment,
            start_new_session=True,
            text=True,
            stdout=subprocess.PIPE,
            stderr=errors,
        )
    yield process
    process.kill()
    process.communicate()


def output_until(process: "subprocess.Popen[str]", words: str) -> str:
    assert process.stdout is not None
    lines = []
    for line in process.stdout:
        lines.append(line)
        if words in line:
            break
    return "".join(lines)


def test_it_tells_address_and_sign_ins_serves_and_ends_cleanly(
    portal: "subprocess.Popen[str]",
) -> None:
    told = output_until(portal, "Ctrl-C stops it.")

    assert re.search(r"^  clerk +\S+ +Records staff$", told, re.MULTILINE)
    address = re.search(r"http://\S+", told)
    assert address is not None
    assert 'name="password"' in requests.get(address[0], timeout=10).text
    asked_at = time.monotonic()
    os.killpg(portal.pid, signal.SIGINT)
    assert portal.wait(timeout=30) == 0
    assert time.monotonic() - asked_at < 12


def test_a_taken_port_ends_it_with_a_sentence() -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = str(other.getsockname()[1])
        command = [sys.executable, "manage.py", "run_portal", "--port", port]
        environment = os.environ | {"DJANGO_SETTINGS_MODULE": "portal.settings"}
        ended = subprocess.run(
            command, cwd=ROOT, env=environment, capture_output=True, text=True
        )

    assert ended.returncode == 1
    assert f"Port {port} of 127.0.0.1 is taken" in ended.stderr
