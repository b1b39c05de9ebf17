"""Plain functions that make real rows with real bytes for tests."""

from datetime import timedelta
from pathlib import Path
from typing import Any

from django.contrib.auth import get_user_model
from django.core.files.uploadedfile import SimpleUploadedFile
from django.utils import timezone

from upload import tasks
from upload.models import Destination, Job, UploadSession
from upload.states import JobKind, SessionStatus


def make_user(name: str = "ada", **values: Any) -> Any:
    return get_user_model().objects.create_user(name, password="pw", **values)


def make_upload(name: str = "a.txt", content: bytes = b"alpha") -> SimpleUploadedFile:
    return SimpleUploadedFile(name, content)


def make_session(
    status: SessionStatus = SessionStatus.CREATED,
    files: dict[str, bytes] | None = None,
    user: Any = None,
) -> UploadSession:
    """Return a session brought to ``status`` by the core's own verbs.

    The passing states are reached by writing the row: no verb stops there.
    """
    session = UploadSession.new_session(user=user)
    if status == SessionStatus.CREATED:
        return session
    for name, content in (files or {"a.txt": b"alpha", "b.pdf": b"%PDF-1"}).items():
        session.add_temp_file(make_upload(name, content))
    _bring_to(session, status)
    session.refresh_from_db()
    return session


def _bring_to(session: UploadSession, status: SessionStatus) -> None:
    if status == SessionStatus.EXPIRED:
        session.expire()
    elif status == SessionStatus.STORED:
        session.make_uploads_permanent()
    elif status != SessionStatus.UPLOADING:
        set_status(session, status)


def set_status(session: UploadSession, status: SessionStatus) -> None:
    """Write a status past the rules, as only a test may."""
    UploadSession.objects.filter(pk=session.pk).update(status=status)
    session.refresh_from_db()


def make_destination(folder: Path, name: str = "Archive") -> Destination:
    folder.mkdir(parents=True, exist_ok=True)
    return Destination.objects.create(name=name, folder=str(folder))


def make_job(session: UploadSession, kind: JobKind, **values: Any) -> Job:
    return Job.objects.create(
        session=session, session_uuid=session.uuid, kind=kind, **values
    )


def run(job: Job) -> Job:
    """Run one attempt of the job as a worker does; return it as it then is."""
    tasks.run_job(job.pk)
    job.refresh_from_db()
    return job


def let_lease_run_out(job: Job) -> None:
    Job.objects.filter(pk=job.pk).update(
        lease_until=timezone.now() - timedelta(seconds=1)
    )


def aged(session: UploadSession, minutes: int) -> UploadSession:
    """Return the session as if its last interaction were ``minutes`` ago."""
    session.last_upload_interaction_time = timezone.now() - timedelta(minutes=minutes)
    session.save()
    return session
