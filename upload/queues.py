"""The two queues: short tasks on "default", byte-moving tasks on "long".

Tasks are named by dotted path and carry ids only.
"""

import socket
from typing import Any

from django_q.brokers import get_broker
from django_q.tasks import async_task

LONG = "long"
SHORT = "default"
OF_HOST = "@"


def push_job(job_id: int) -> None:
    """Queue one job on the long queue. Call it after the commit."""
    async_task("upload.tasks.run_job", job_id, cluster=LONG, group="jobs")


def push_order(order_id: int) -> None:
    """Queue one slice of a bulk order on the short queue. Call it after the commit."""
    async_task("upload.tasks.run_order", order_id, group="orders", save=False)


def push_heartbeat(queue: str) -> None:
    """Queue a task by which the queue's workers on this host show that they live."""
    broker = get_broker(heartbeat_key(queue))
    async_task("upload.tasks.heartbeat", queue, broker=broker, save=False)


def heartbeat_key(queue: str) -> str:
    """Return the key of this host's heartbeats, which no other host's workers take."""
    return f"{queue}{OF_HOST}{socket.gethostname()}"


def is_empty(queue: str) -> bool:
    """Return whether no task waits in the queue (tasks being worked on not counted)."""
    broker: Any = get_broker(queue)
    return bool(broker.queue_size() == 0)
