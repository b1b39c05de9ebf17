"""Long-lived processes do not search all of Django for garbage while they work."""

import os
import subprocess
import sys
from pathlib import Path

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


def frozen(script: str) -> int:
    """Return how many objects are out of the collector's sight after the script."""
    done = subprocess.run(
        [sys.executable, "-c", script],
        cwd=settings.BASE_DIR,
        env=os.environ | {"PYTHONPATH": str(Path(settings.BASE_DIR))},
        capture_output=True,
        text=True,
        check=True,
    )
    return int(done.stdout.split()[-1])


def test_a_queue_s_workers_are_forked_from_a_frozen_heap() -> None:
    assert frozen(QUEUE) > MANY


def test_the_web_server_forks_from_a_frozen_heap() -> None:
    assert frozen(WEB) > MANY
