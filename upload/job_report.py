"""The report of a whole job as CSV or JSON, in pieces small enough to stream.

Called with a job that the caller may see.
"""

from collections.abc import Iterator
from typing import Any

from django.db.models import Count
from django.utils import timezone

from upload import conf
from upload.models import Job
from upload.report_text import PAGE_ITEMS, Record, csv_text, json_elements, json_text
from upload.states import JobKind

# The columns of the CSV file and the keys of a JSON item, in this order.
ITEM_FIELDS = (
    "job",
    "file",
    "name",
    "size_bytes",
    "sha256",
    "outcome",
    "source_storage",
    "source",
    "target_storage",
    "target",
    "error",
)
EVENT_FIELDS = {
    "at": "created_at",
    "code": "code",
    "premis_type": "premis_type",
    "outcome": "outcome",
    "who": "actor_name",
    "attempt": "attempt",
    "reason": "reason",
    "detail": "detail",
}
AS_STORED = (
    "uuid kind state reason target_folder files_total files_done bytes_total "
    "bytes_done current_file created_at planned_at started_at finished_at "
    "heartbeat_at next_run_at cancel_requested_at attempts error error_code"
)


def as_csv(job: Job) -> Iterator[str]:
    """Yield the items as CSV."""
    return csv_text(ITEM_FIELDS, _item_pages(job))


def as_json(job: Job, *, with_events: bool) -> Iterator[str]:
    """Yield one object: ``job``, ``items`` and, where asked for, ``events``."""
    yield f'{{"job": {json_text(facts(job))},\n"items": ['
    yield from json_elements(_item_pages(job))
    if with_events:
        yield '\n],\n"events": ['
        yield from json_elements([_events(job)])
    yield "\n]}\n"


def facts(job: Job) -> Record:
    """Return what is known of the job itself, as it is now; three queries at most."""
    counted = job.item_set.order_by().values_list("outcome").annotate(Count("pk"))
    return {name: getattr(job, name) for name in AS_STORED.split()} | {
        "session": job.session_uuid,
        "destination": job.destination.name if job.destination else "",
        "requester": _name(job.requester),
        "approver": _name(job.approver),
        "worker": job.lease_owner,
        "max_attempts": conf.job_max_attempts(),
        "outcomes": dict(counted),
        "reported_at": timezone.now(),
    }


def _name(person: Any) -> str:
    return str(person.get_username()) if person else ""


def _item_pages(job: Job) -> Iterator[list[Record]]:
    fields = ("pk", "file_uuid", "name", "size_bytes", "sha256", "outcome")
    items = job.item_set.order_by("pk").values_list(
        *fields, "source_key", "target_key", "error"
    )
    place = _place(job)
    after = 0
    while page := list(items.filter(pk__gt=after)[:PAGE_ITEMS]):
        yield [_item(job, place, row) for row in page]
        after = page[-1][0]


def _place(job: Job) -> str:
    """Return the folder that a copy goes to."""
    return job.destination.root if job.destination else job.target_folder


def _item(job: Job, place: str, row: tuple[Any, ...]) -> Record:
    _pk, uuid, name, size, sha256, outcome, source, target, error = row
    came_from, went_to, target = _ends(job.kind, place, target)
    known = (job.uuid, uuid, name, size, sha256, outcome)
    moved = (came_from, source, went_to, target, error)
    return dict(zip(ITEM_FIELDS, known + moved, strict=True))


def _ends(kind: str, place: str, target: str) -> tuple[str, str, str]:
    """Return where a file came from, where it went, and its name there.

    A removal's item keeps no target, only a word where the file was permanent.
    """
    if kind == JobKind.STORE:
        return "temporary", "permanent", target
    if kind == JobKind.COPY:
        return "permanent", place, target
    if kind == JobKind.VERIFY:
        return place or "permanent", "", target
    return ("permanent" if target else "temporary"), "", ""


def _events(job: Job) -> list[Record]:
    rows = job.event_set.order_by("pk").values_list(*EVENT_FIELDS.values())
    return [dict(zip(EVENT_FIELDS, row, strict=True)) for row in rows]
