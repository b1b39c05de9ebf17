"""Run one deed in many threads that start at the same instant."""

import threading
from typing import Any

from django.db import connections


def race(count: int, deed: Any) -> list[Any]:
    """Run ``deed(i)`` in threads that start together; return results or errors."""
    barrier, results = threading.Barrier(count), [None] * count

    def run(index: int) -> None:
        barrier.wait()
        try:
            results[index] = deed(index)
        except Exception as error:  # noqa: BLE001 - the result under test
            results[index] = error
        finally:
            connections.close_all()

    threads = [threading.Thread(target=run, args=(i,)) for i in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return results
