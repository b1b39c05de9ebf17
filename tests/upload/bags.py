"""Sessions and destinations for tests of bags."""

from pathlib import Path

from tests.make import make_upload, run
from upload import jobs, receive
from upload.models import Destination, Job, UploadSession
from upload.receive import Intent
from upload.states import JobKind, JobState

PLAIN = {"a.txt": b"alpha", "photos/b.png": b"beta"}


def stored(files: dict[str, bytes]) -> UploadSession:
    """Return a stored session of files by their folder paths."""
    session = UploadSession.new_session(user=None)
    for path, content in files.items():
        upload = make_upload(path.rpartition("/")[2], content)
        receive.receive(session, upload, Intent(relative_path=path, numbered=True))
    session.make_uploads_permanent()
    return session


def ask(session: UploadSession, archive: Destination) -> Job:
    return jobs.request(session, JobKind.COPY, None, destination=archive)


def folder_of(session: UploadSession, archive: Destination) -> Path:
    return Path(archive.folder) / str(session.uuid)


def copied(files: dict[str, bytes], archive: Destination) -> Path:
    session = stored(files)
    assert run(ask(session, archive)).state == JobState.SUCCEEDED
    return folder_of(session, archive)


def facts(folder: Path) -> dict[str, tuple[int, bytes]]:
    files = (path for path in folder.rglob("*") if path.is_file())
    return {str(f): (f.stat().st_mtime_ns, f.read_bytes()) for f in files}


def lay_out(archive: Destination, layout: str) -> None:
    """Choose the destination's layout, as an administrator does."""
    archive.layout = layout
    archive.save(update_fields=["layout"])
