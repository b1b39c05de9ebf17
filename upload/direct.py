"""Run a verb here and now, for the model's own methods and for scripts.

Each makes a job and runs it in the calling process, so that a crash leaves a job that
the watchdog finishes.
"""

import logging
from pathlib import Path
from typing import Any

from upload import copy, discard, policy
from upload.errors import IllegalTransition, JobFailed
from upload.execution import execute, insert_job
from upload.states import ItemOutcome, JobKind, JobState, SessionStatus, Verb
from upload.targets import FolderTarget
from upload.wording import gettext as _

logger = logging.getLogger(__name__)

_S = SessionStatus


def run_now(session: Any, kind: JobKind, **values: Any) -> Any:
    """Make a job and run it here, in one attempt; return it.

    Raise ``JobFailed`` with the job's reason where it did not succeed.
    """
    job = insert_job(session, kind, **values)
    execute(job, last_attempt=True)
    job.refresh_from_db()
    session.refresh_from_db()
    if job.state != JobState.SUCCEEDED:
        raise JobFailed(job.error)
    return job


def copy_to_folder(session: Any, destination: str) -> tuple[list[str], list[str]]:
    """Copy the session into a folder; return paths written and names not copied."""
    policy.require_state(Verb.COPY, session)
    folder = Path(destination)
    target = FolderTarget(folder, allowed_roots=None)
    copy.check(target, session, None, str(folder))
    job = insert_job(session, JobKind.COPY, target_folder=str(folder))
    execute(job, last_attempt=True)
    job.refresh_from_db()
    session.refresh_from_db()
    ends = job.item_set.order_by("pk").values_list("name", "target_key", "outcome")
    planned = list(ends)
    tried = planned and all(end != ItemOutcome.PENDING for *_, end in planned)
    if job.state != JobState.SUCCEEDED and not tried:
        raise JobFailed(job.error)
    good = {ItemOutcome.DONE, ItemOutcome.ALREADY}
    copied = [f"{folder}/{key}" for _name, key, end in planned if end in good]
    return copied, [name for name, _key, end in planned if end not in good]


def remove_temporary(session: Any, *, finish: bool) -> None:
    """Remove a session's temporary files; see ``UploadSession.remove_temp_uploads``."""
    session.refresh_from_db(fields=["status"])
    if session.status in {_S.CREATED, _S.REMOVING_IN_PROGRESS}:
        logger.warning("Session %s: nothing to remove now.", session.uuid)
        return
    if session.status not in {_S.UPLOADING, _S.COPYING_FAILED}:
        policy.require_state(Verb.REMOVE_FILE, session)
    if session.permuploadedfile_set.exists():
        raise IllegalTransition(
            session=str(session.uuid),
            found=str(SessionStatus(session.status).label),
            asked=_("remove only its temporary files"),
            allowed=policy.words(frozenset({_S.UPLOADING})),
        )
    if not finish:
        while discard.temporary_batch(session):
            pass
        return
    run_now(session, JobKind.REMOVE)
