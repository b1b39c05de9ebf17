"""What a copy would do: asked of rows and of the destination, writing nothing.

The admin shows it before a copy is confirmed. The job asks everything again.
"""

from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, field

from django.db.models import Count, F, Sum
from django.utils.translation import gettext as _

from upload.errors import MunimentError
from upload.layout import files_of, layout_for, original_path
from upload.models import Destination, FileCopy, UploadSession

# So many files are arranged for the page, and so many of them are named.
MOST_ARRANGED = 10_000
MOST_NAMED = 10


@dataclass(frozen=True, slots=True)
class Planned:
    """One file's path at the destination, and what the sender called it."""

    path: str
    original: str
    already: bool

    @property
    def renamed(self) -> bool:
        return not f"/{self.path}".endswith(f"/{self.original}")


@dataclass(slots=True)
class DryRun:
    """What a copy of some sessions to one destination would do.

    ``known_files`` and ``known_bytes`` are there as far as our records tell.
    ``free_bytes`` None means that nobody can tell. ``problem`` says why it could not
    start and is empty where it could. ``planned`` and ``renamed`` name the first few
    of ``arranged_files``.
    """

    destination: Destination
    files: int
    size_bytes: int
    known_files: int = 0
    known_bytes: int = 0
    free_bytes: int | None = None
    problem: str = ""
    arranged_files: int = 0
    renamed_files: int = 0
    planned: list[Planned] = field(default_factory=list)
    renamed: list[Planned] = field(default_factory=list)

    @property
    def needed_bytes(self) -> int:
        return max(self.size_bytes - self.known_bytes, 0)

    @property
    def fits(self) -> bool:
        return self.free_bytes is None or self.needed_bytes <= self.free_bytes


def preview(sessions: Sequence[UploadSession], destination: Destination) -> DryRun:
    """Return what a copy of ``sessions`` would do; write nothing anywhere."""
    run = DryRun(
        destination=destination,
        files=sum(session.total_files for session in sessions),
        size_bytes=sum(session.total_size_bytes for session in sessions),
    )
    _note_known(run, sessions)
    _note_room(run)
    _note_names(run, sessions)
    return run


def _note_known(run: DryRun, sessions: Sequence[UploadSession]) -> None:
    """Count the copies that we know of, of files that their sessions still have."""
    known = FileCopy.objects.filter(
        destination=run.destination,
        session__in=sessions,
        session__permuploadedfile__uuid=F("file_uuid"),
    ).aggregate(files=Count("pk"), size=Sum("size_bytes"))
    run.known_files, run.known_bytes = known["files"], known["size"] or 0


def _note_room(run: DryRun) -> None:
    try:
        with closing(run.destination.target()) as target:
            target.look()
            run.free_bytes = target.free_bytes()
    except (MunimentError, OSError) as error:
        run.problem = str(error)
        return
    if not run.fits:
        run.problem = _("It does not fit. Make room or choose another destination.")


def _note_names(run: DryRun, sessions: Sequence[UploadSession]) -> None:
    for planned in _planned(run, sessions):
        run.arranged_files += 1
        if len(run.planned) < MOST_NAMED:
            run.planned.append(planned)
        if planned.renamed:
            run.renamed_files += 1
            if len(run.renamed) < MOST_NAMED:
                run.renamed.append(planned)


def _planned(run: DryRun, sessions: Sequence[UploadSession]) -> Iterator[Planned]:
    """Yield the files of whole sessions, as many sessions as are few enough files."""
    room = MOST_ARRANGED
    for session in sessions:
        room -= session.total_files
        if room < 0:
            return
        yield from _of_session(run, session)


def _of_session(run: DryRun, session: UploadSession) -> Iterator[Planned]:
    rows = files_of(session)
    keys = layout_for(session, run.destination).keys(rows)
    copies = FileCopy.objects.filter(destination=run.destination, session=session)
    known = set(copies.values_list("target_key", flat=True))
    for row in rows:
        key = keys[row["uuid"]]
        yield Planned(key, original_path(row), key in known)
