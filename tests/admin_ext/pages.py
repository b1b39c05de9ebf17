"""Addresses of admin pages, and rows of the queue to look at there."""

from typing import Any

from django.urls import reverse
from django.utils import timezone
from django_q.models import Failure, OrmQ, Schedule, Success

QUEUE = [Schedule, Success, Failure, OrmQ]


def admin_url(model: Any, page: str, *args: Any) -> str:
    options = model._meta
    return reverse(f"admin:{options.app_label}_{options.model_name}_{page}", args=args)


def make_tasks() -> None:
    """Make a task that was done, of the key "aaa…", and one that failed."""
    times = {"started": timezone.now(), "stopped": timezone.now()}
    func = "upload.tasks.run_job"
    Success.objects.create(id="a" * 32, name="done", func=func, **times)
    Failure.objects.create(id="b" * 32, name="bad", func=func, success=False, **times)


def make_queue_rows() -> None:
    """Make one row of each model of django-q2."""
    make_tasks()
    Schedule.objects.create(name="s", func="upload.tasks.recover_jobs")
    OrmQ.objects.create(key="default", payload="x", lock=timezone.now())
