"""Registers every model admin: Django imports this module, one line a module."""

from admin_ext import (
    certificates,  # noqa: F401
    destinations,  # noqa: F401
    events,  # noqa: F401
    files,  # noqa: F401
    holds,  # noqa: F401
    job_pages,  # noqa: F401
    order_pages,  # noqa: F401
    people,  # noqa: F401
    queue,  # noqa: F401
    sessions,  # noqa: F401
    submissions,  # noqa: F401
)
