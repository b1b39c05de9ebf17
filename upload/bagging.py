"""Make a bag of a session's copy: the payload first, then what says that it is one.

Called by ``copy`` under a lease. ``bagit.txt`` is written last, so that a folder which
is not finished is no bag. A retry and a second copy write the same bytes again, which
the target takes as done: what may change with time, ``bag-info.txt``, is kept in an
event before it is written.
"""

from collections.abc import Iterator, Mapping
from typing import Any
from uuid import UUID

from django.db.models import Max, Min, Sum
from django.utils import timezone

from upload import bag, conf, events, wording
from upload.copy_engine import Receipt
from upload.errors import DestinationRefused, JobFailed, TargetOccupied, UnsafePath
from upload.events import Cause
from upload.group import Parcel
from upload.layout import Layout, original_path
from upload.lease import Work
from upload.targets import Target
from upload.wording import gettext as _

DESCRIBED = "bag_described"
TAG_ERRORS = (TargetOccupied, UnsafePath)

# A file of the bag: its uuid, its path in the bag, its SHA-256.
type Listed = tuple[UUID, str, str]


def prepare(work: Work, target: Target, layout: Layout) -> None:
    """Refuse a place whose files are not of this copy, before the first byte.

    A file that is not in the manifest would make the bag invalid, and nothing at a
    target is ever replaced. Raise ``DestinationRefused``.
    """
    foreign = _foreign_tag(work, target, layout) or _leftover(work, target, layout)
    if foreign:
        raise DestinationRefused(
            _(
                "“%(path)s” at the destination belongs to an earlier copy with other "
                "files, so no bag can be made there. Move the folder “%(folder)s” "
                "away, then ask for the copy again."
            )
            % {"path": foreign, "folder": layout.folder}
        )


def refuse_bag(work: Work, target: Target, layout: Layout) -> None:
    """Refuse to put plain files into a finished bag. Raise ``DestinationRefused``."""
    path = f"{layout.folder}/{bag.BAGIT}"
    if target.exists(path) and not work.job.item_set.filter(target_key=path).exists():
        raise DestinationRefused(
            _(
                "A bag stands in “%(folder)s” at the destination, and plain files "
                "would make it invalid. Move it away, then ask for the copy again."
            )
            % {"folder": layout.folder}
        )


def _foreign_tag(work: Work, target: Target, layout: Layout) -> str:
    """Return the path of a manifest or declaration that is not of this bag."""
    for name in (bag.MANIFEST, bag.BAGIT):
        path = f"{layout.folder}/{name}"
        if not target.exists(path):
            continue
        is_manifest = name == bag.MANIFEST
        mine = _manifest(_listed(work, layout)) if is_manifest else bag.DECLARATION
        if not target.digest(path, _still(work)).agrees_with(_receipt(mine)):
            return path
    return ""


def _leftover(work: Work, target: Target, layout: Layout) -> str:
    """Return the path of a file that an earlier job left and this one does not plan.

    Asked of the plans, which are frozen before the first byte: a copy that was killed
    may have placed files of which no ``FileCopy`` tells.
    """
    mine = work.job.item_set
    earlier = mine.model.objects.filter(
        job__session_uuid=work.session.uuid,
        job__destination_id=work.job.destination_id,
        target_key__startswith=f"{layout.folder}/",
    ).exclude(target_key__in=mine.values("target_key"))
    keys = earlier.values_list("target_key", flat=True).distinct()
    return next((key for key in keys.iterator() if target.exists(key)), "")


def finish(work: Work, target: Target, layout: Layout) -> None:
    """Write the tag files around a payload that is there in full; may be run twice.

    Raise ``JobFailed`` where other bytes stand at one of their names.
    """
    try:
        tags = bag.tag_files(
            _description(work, target, layout),
            *_tables(work, layout),
        )
        *others, last = (
            Parcel(f"{layout.folder}/{name}", [content], _receipt(content))
            for name, content in tags.items()
        )
        for parcels in (others, [last]):
            errors = target.put_many(parcels, work.staging_prefix, _still(work))
            for error in errors.values():
                raise error
    except TAG_ERRORS as error:
        raise JobFailed(wording.of_error(error)) from error


def _receipt(content: bytes) -> Receipt:
    return Receipt(len(content), bag.sha256(content))


def _still(work: Work) -> Any:
    """Return a heartbeat that counts no bytes: tag files are not the session's."""
    return lambda count: work.beat(0)


def _tables(work: Work, layout: Layout) -> tuple[bytes, bytes]:
    """Return the manifest, and the table of what the sender called the files."""
    listed = _listed(work, layout)
    names = _names_of(work, {uuid: path for uuid, path, _digest in listed})
    return _manifest(listed), bag.names_csv(sorted(names))


def _listed(work: Work, layout: Layout) -> list[Listed]:
    start = len(layout.folder) + 1
    items = work.job.item_set.values_list("file_uuid", "target_key", "sha256")
    return [(uuid, key[start:], digest) for uuid, key, digest in items.iterator()]


def _manifest(listed: list[Listed]) -> bytes:
    return bag.manifest_of((path, digest) for _uuid, path, digest in listed)


def _names_of(
    work: Work, paths: Mapping[UUID, str]
) -> Iterator[tuple[str, str, str, str]]:
    wanted = ("uuid", "name", "relative_path", "original_name")
    for row in work.session.permuploadedfile_set.values(*wanted).iterator():
        original_name = row["original_name"] or row["name"]
        path = paths[row["uuid"]]
        yield path, original_path(row), original_name, str(row["uuid"])


def _description(work: Work, target: Target, layout: Layout) -> str:
    """Return the text of ``bag-info.txt`` that stands there, or one for this job.

    Of the descriptions that were made for this destination, that one whose bytes stand
    there; before any does, the one that this job made first.
    """
    made = work.session.event_set.filter(
        code=f"upload.session.{DESCRIBED}", job__destination_id=work.job.destination_id
    )
    path = f"{layout.folder}/{bag.BAG_INFO}"
    if target.exists(path):
        held = target.digest(path, _still(work))
        texts = [event.detail["bag_info"] for event in made]
        for text in texts:
            if held.agrees_with(_receipt(text.encode())):
                return str(text)
    mine = made.filter(job=work.job).order_by("pk").first()
    return str(mine.detail["bag_info"]) if mine else _describe(work)


def _describe(work: Work) -> str:
    """Describe the bag as of today and record the text in an event."""
    text = bag.bag_info(_facts(work))
    with work.fenced():
        cause = Cause(job=work.job, detail={"bag_info": text})
        events.record(work.session, DESCRIBED, "information package creation", cause)
    return text


def _facts(work: Work) -> dict[str, Any]:
    """Return the elements of ``bag-info.txt`` in their order."""
    session = work.session
    about = session.submission_set.order_by("pk").first() or getattr(
        session, "in_progress_submission", None
    )
    accession = getattr(about, "accession_number", None)
    return {
        "Source-Organization": conf.organisation_name(),
        "Records-Source": getattr(about, "source", ""),
        "External-Identifier": accession or session.uuid,
        "External-Description": getattr(about, "title", ""),
        "Extent": getattr(about, "extent", ""),
        "Internal-Sender-Identifier": session.uuid,
        "Receipt-Date": _receipt_dates(session),
        "Bagging-Date": timezone.now().date().isoformat(),
        "Payload-Oxum": _oxum(work),
        "Bag-Software-Agent": bag.SOFTWARE,
    }


def _receipt_dates(session: Any) -> str:
    """Return the days (UTC) of the first and the last file, as an ISO 8601 interval."""
    ends = session.permuploadedfile_set.aggregate(
        first=Min("received_at"), last=Max("received_at")
    )
    days = [at.date().isoformat() for at in ends.values() if at]
    return "/".join(dict.fromkeys(days))


def _oxum(work: Work) -> str:
    items = work.job.item_set.all()
    size_bytes = items.aggregate(size=Sum("size_bytes"))["size"] or 0
    return f"{size_bytes}.{items.count()}"
