"""What a process of the portal does before, at and after a fault.

Runs in a child of ``tests.faults.forks`` and calls the core's rooms. Every deed is one
that a worker, a schedule or a client may do again after a crash.
"""

import json
import os
from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any

from django.conf import settings
from django.contrib.auth import (
    BACKEND_SESSION_KEY,
    HASH_SESSION_KEY,
    SESSION_KEY,
    get_user_model,
)
from django.contrib.sessions.backends.db import SessionStore
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import call_command
from django.db import connection
from django.db.migrations import AddField, AddIndex, Migration
from django.db.migrations.executor import MigrationExecutor
from django.db.models import CharField, Index
from django.utils import timezone
from django_q.brokers import get_broker
from django_q.signing import SignedPackage

from tests.faults.contents import FILES, FOREIGN, FOREIGN_NAME, NEW_NAME
from upload import (
    jobs,
    orphans,
    page_cache,
    partials,
    queues,
    recovery,
    resumable,
    storage,
    tasks,
    unfinished,
)
from upload.errors import NameTaken
from upload.intake import Sender
from upload.models import Destination, UnfinishedUpload, UploadSession
from upload.resumable import Announced, Piece
from upload.states import JobKind

COOKIE = "cookie.txt"
PIECE_BYTES = 1 << 20


def migrate() -> None:
    call_command("migrate", verbosity=0)


def migrate_on() -> None:
    """Migrate as the next version might, whose rows tell more of jobs and files."""
    executor = MigrationExecutor(connection)
    next_one = Migration("9999_next", "upload")
    next_one.operations = [
        AddField(model, "of_next", CharField(max_length=9, db_default="new"))
        for model in ("uploadsession", "job", "jobitem", "filecopy", "sessionevent")
    ]
    next_one.operations.append(
        AddIndex("job", Index(fields=["of_next", "state"], name="of_next"))
    )
    state = executor.loader.project_state()
    with connection.schema_editor(atomic=True) as editor:
        next_one.apply(state, editor)


def open_session() -> UploadSession:
    return UploadSession.new_session()


def upload() -> UploadSession:
    """Open a session and send all files."""
    session = open_session()
    for name in FILES:
        send(session, name)
    return session


def send(session: UploadSession, name: str) -> None:
    """Send one file; write it to the client's ledger once it is acknowledged."""
    row = session.add_temp_file(SimpleUploadedFile(name, FILES[name]))
    note({"name": name, "uuid": row.uuid.hex})


def note(entry: dict[str, Any]) -> None:
    """Write to the client's ledger what was acknowledged."""
    descriptor = os.open(os.environ["FAULTS_LEDGER"], os.O_WRONLY | os.O_APPEND)
    os.write(descriptor, f"{json.dumps(entry)}\n".encode())
    os.close(descriptor)


def upload_long_ago() -> None:
    session = upload()
    then = timezone.now() - timedelta(days=9)
    UploadSession.objects.filter(pk=session.pk).update(
        last_upload_interaction_time=then, expires_on=then
    )


def store_and_choose_destination() -> None:
    """Store all files, and make a destination that holds a stranger's file."""
    upload().make_uploads_permanent()
    folder = Path(settings.DESTINATION_ROOTS[0]) / "archive"
    folder.mkdir(parents=True, exist_ok=True)  # it may be a mount point
    (folder / FOREIGN_NAME).write_bytes(FOREIGN)
    Destination.objects.create(name="Archive", folder=str(folder))


def ask(kind: JobKind) -> None:
    """Request a job, which queues it."""
    destination = Destination.objects.get() if kind == JobKind.COPY else None
    jobs.request(UploadSession.objects.get(), kind, None, destination=destination)


def ask_and_work(kind: JobKind) -> None:
    ask(kind)
    work()


def work() -> None:
    """Take and run what is queued, as a worker does, until nothing is left."""
    broker: Any = get_broker(queues.LONG)
    while taken := broker.dequeue():
        for key, payload in taken:
            task = SignedPackage.loads(payload)
            tasks.run_job(*task["args"])
            broker.acknowledge(key)


def receive() -> None:
    """Send the new file; one that was taken in but not acknowledged is there."""
    with suppress(NameTaken):
        send(UploadSession.objects.get(), NEW_NAME)


def receive_carelessly() -> None:
    """Receive as a portal would that never waits for the disk."""
    _never_sync()
    receive()


def _never_sync() -> None:
    """Wait for no byte, and do not ask for any to be written early either."""
    for name in ("fsync", "fdatasync"):
        setattr(os, name, lambda descriptor: None)
    page_cache._sync_file_range = lambda: None
    os.posix_fadvise = lambda *asked: None  # letting go of bytes writes them out


def receive_in_pieces() -> None:
    """Send the new file as a tus client does: from the offset that it is told.

    It knows of an upload only what its ledger says.
    """
    session, content = UploadSession.objects.get(), FILES[NEW_NAME]
    begun = _acknowledged_upload()
    if begun is None:
        told = Announced(NEW_NAME, len(content))
        begun = resumable.begin(session, told, Sender(None, "test")).uuid.hex
        note({"upload": begun, "offset": 0})
    while (upload := resumable.find(session, begun)).offset < len(content):
        piece = content[upload.offset : upload.offset + PIECE_BYTES]
        resumable.append(upload, upload.offset, Piece([piece], len(piece)))
        note({"upload": begun, "offset": upload.offset})
    note({"name": NEW_NAME, "uuid": begun})


def _acknowledged_upload() -> str | None:
    lines = Path(os.environ["FAULTS_LEDGER"]).read_text().splitlines()
    begun = [one["upload"] for one in map(json.loads, lines) if "upload" in one]
    return begun[-1] if begun else None


def receive_in_pieces_carelessly() -> None:
    _never_sync()
    receive_in_pieces()


def recover() -> None:
    """Sweep once as the watchdog, then work as the worker."""
    recovery.recover()
    work()


def drop_old_staging() -> None:
    """Drop what no living process stages, as a sweep does after its grace age."""
    storage.drop_staging(storage.TempFileStorage(), "")
    storage.drop_staging(storage.UploadedFileStorage(), "")
    for destination in Destination.objects.all():
        destination.target().drop_staging("")
    _drop_partials()


def _drop_partials() -> None:
    """End uploads whose address nobody was told, and partials without a row."""
    rows = UnfinishedUpload.objects.all()
    rows.filter(finished_at=None).update(expires_at=timezone.now())
    unfinished.sweep(rows)
    for uuid in partials.strays(0):
        partials.drop(uuid)


def prepare_for_web() -> None:
    """Collect the static files; write a superuser's cookie beside the ledger."""
    call_command("collectstatic", interactive=False, verbosity=0)
    user = get_user_model().objects.create_superuser("clerk", password="pw")
    session = SessionStore()
    session[SESSION_KEY] = str(user.pk)
    session[BACKEND_SESSION_KEY] = settings.AUTHENTICATION_BACKENDS[0]
    session[HASH_SESSION_KEY] = user.get_session_auth_hash()
    session.save()
    assert session.session_key
    Path(os.environ["FAULTS_LEDGER"]).with_name(COOKIE).write_text(session.session_key)


DEEDS: dict[str, Callable[[], object]] = {
    "migrate": migrate,
    "migrate on": migrate_on,
    "open": open_session,
    "upload": upload,
    "upload long ago": upload_long_ago,
    "store and choose destination": store_and_choose_destination,
    "ask for store": partial(ask, JobKind.STORE),
    "ask for copy": partial(ask, JobKind.COPY),
    "ask for remove": partial(ask, JobKind.REMOVE),
    "store": partial(ask_and_work, JobKind.STORE),
    "copy": partial(ask_and_work, JobKind.COPY),
    "remove": partial(ask_and_work, JobKind.REMOVE),
    "expire": tasks.expire_sessions,
    "receive": receive,
    "receive carelessly": receive_carelessly,
    "receive in pieces": receive_in_pieces,
    "receive in pieces carelessly": receive_in_pieces_carelessly,
    "work": work,
    "recover": recover,
    "drop old staging": drop_old_staging,
    "prepare for web": prepare_for_web,
    "reconcile": orphans.sweep,
}
