"""Long-lived processes: what is never garbage, and what memory is kept for reuse."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from django.conf import settings

QUEUE = """
import gc, django
django.setup()
from upload.management.commands import run_queue
run_queue.call_command = lambda name: print(name, gc.get_freeze_count())
run_queue.Command().handle()
"""
WEB = """
import gc, runpy
from portal.wsgi import application
runpy.run_path("deploy/gunicorn.conf.py")["when_ready"](None)
print("web", gc.get_freeze_count())
"""
# Django with its admin is some 100,000 objects.
MANY = 50_000


CHUNKS = """
import resource, sys
from upload import heap
if sys.argv[1] == "settled":
    heap.settle()
before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
for _turn in range(20):
    kept = [b"x" * (1 << 20) for _chunk in range(4)]
    del kept
print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
"""
# Pages of the chunks once, and some.
ONCE = 3_000


def last_number(script: str, *arguments: str) -> int:
    """Return what a script, run by a process of its own, prints last."""
    done = subprocess.run(
        [sys.executable, "-c", script, *arguments],
        cwd=settings.BASE_DIR,
        env=os.environ | {"PYTHONPATH": str(Path(settings.BASE_DIR))},
        capture_output=True,
        text=True,
        check=True,
    )
    return int(done.stdout.split()[-1])


def test_a_queue_s_workers_are_forked_from_a_frozen_heap() -> None:
    assert last_number(QUEUE) > MANY


def test_the_web_server_forks_from_a_frozen_heap() -> None:
    assert last_number(WEB) > MANY


@pytest.mark.skipif(sys.platform != "linux", reason="asks the system as Linux answers")
def test_freed_chunks_are_used_again() -> None:
    assert last_number(CHUNKS, "settled") < ONCE < last_number(CHUNKS, "as it is")
