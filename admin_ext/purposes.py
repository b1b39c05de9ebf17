"""What each list and page of the admin is for, and what to do where a list is empty.

One table: a model without a row here fails a test, so that no page stays unexplained.
"""

from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _


@dataclass(frozen=True, slots=True)
class Purpose:
    """``whole`` stands over the list, ``one`` over the page of a row.

    ``empty`` says what to do where there is no row at all.
    """

    whole: Any
    one: Any
    empty: Any


# By the label of the model, in the order of the sidebar.
PURPOSES: dict[str, Purpose] = {
    "upload.uploadsession": Purpose(
        _(
            "Every upload session: choose some to expire, store, copy or remove, or "
            "open one."
        ),
        _("What was sent at one time, what became of it, and what you can do now."),
        _("Press “New session” to receive files, or ask senders to open one."),
    ),
    "upload.submission": Purpose(
        _("What the files of a session are, in words, under their accession number."),
        _("What these files are: correct the description, or see their session."),
        _("A submission appears when a sender submits a session or you add one."),
    ),
    "upload.inprogresssubmission": Purpose(
        _("Descriptions that their senders have begun and not submitted yet."),
        _("A description that is not submitted yet: complete it, then submit it."),
        _("A draft appears when a sender starts to describe a session."),
    ),
    "upload.tempuploadedfile": Purpose(
        _("Files that wait in temporary storage until their session is stored."),
        _("One file in temporary storage: open it, or go to its session."),
        _("Files appear here while they are sent; stored ones are permanent files."),
    ),
    "upload.permuploadedfile": Purpose(
        _("Files that are kept in permanent storage, with their digests and checks."),
        _("One file in permanent storage: open it, or see when it was last verified."),
        _("Store an upload session, and its files appear here."),
    ),
    "upload.job": Purpose(
        _("Background work on sessions: what runs, what waits, and why any failed."),
        _("How one piece of work goes, file by file, and how to stop or repeat it."),
        _("Choose sessions and an action in their list: its work appears here."),
    ),
    "upload.bulkorder": Purpose(
        _("Actions on many sessions at once: how far each is, and what came of it."),
        _("What became of each session of one action, and how to stop it."),
        _("Choose more than 100 sessions and an action in their list."),
    ),
    "upload.destination": Purpose(
        _("Places outside the portal to which stored sessions are copied."),
        _("Where copies go: set it up, enable it, and probe that it takes copies."),
        _("Add a destination, probe it, then copy stored sessions to it."),
    ),
    "upload.filecopy": Purpose(
        _("Which file was copied where, and when its copy was last verified there."),
        _("One copy of a file: where it is, its digest, and when it was verified."),
        _("Copy a stored session to a destination, and its files appear here."),
    ),
    "upload.sessionevent": Purpose(
        _("What happened to sessions, by whom, when and why; nothing is ever changed."),
        _("One thing that happened to a session, as it was written down then."),
        _("Events are written by themselves as soon as a session is opened."),
    ),
    "upload.legalhold": Purpose(
        _("What must not be removed, by whose word and why, now and in the past."),
        _("Who placed this hold, when and why, and whether it was lifted."),
        _("Place a hold on the page of a session or of a submission."),
    ),
    "upload.removalcertificate": Purpose(
        _("Proof of what was removed, by whom and why; it stays after the bytes."),
        _("Proof of one removal: print it or take it away as JSON."),
        _("A certificate is made by itself when the files of a session are removed."),
    ),
    "upload.accesslog": Purpose(
        _("Who opened or downloaded which file, and when."),
        _("One time that somebody opened or downloaded a file."),
        _("Accesses are written by themselves when somebody opens a file."),
    ),
    "portal.user": Purpose(
        _("The people who can sign in, and what they may do."),
        _("One person: name, language, and the roles that give rights."),
        _("Add a person, then give them a role."),
    ),
    "auth.group": Purpose(
        _("Roles: each is a set of rights that people are given together."),
        _("The rights that everybody in this role has."),
        _("Add a role and choose its rights, then give it to people."),
    ),
    "upload.workerbeat": Purpose(
        _("Whether the workers are alive and how much work waits for them."),
        _("When a worker was last heard of."),
        _("No worker has been heard of. Start one, or ask who runs this portal."),
    ),
    "django_q.schedule": Purpose(
        _("What the portal does by itself, how often, and when next."),
        _("One thing that the portal does by itself."),
        _("Run “manage.py sync_schedules”, or ask who runs this portal."),
    ),
    "django_q.ormq": Purpose(
        _("Tasks that wait for a worker or are with one; the jobs say what for."),
        _("A task that waits for a worker."),
        _("Nothing waits: the workers have taken every task."),
    ),
    "django_q.success": Purpose(
        _("Tasks that a worker has done, for whoever looks after the queue."),
        _("A task that a worker has done."),
        _("Done tasks appear here once a worker has run one."),
    ),
    "django_q.failure": Purpose(
        _("Tasks that ended in an error, for whoever looks after the queue."),
        _("A task that ended in an error; its job says what became of the work."),
        _("No task has failed, so there is nothing to do."),
    ),
}


def of_list(options: Any) -> str:
    """Return the sentence over the list of a model; empty for one that is not ours."""
    found = PURPOSES.get(options.label_lower)
    return str(found.whole) if found else ""


def of_page(options: Any) -> str:
    found = PURPOSES.get(options.label_lower)
    return str(found.one) if found else ""


def of_empty_list(changelist: Any) -> str:
    """Return what to do: change the search where there is one, else what fills it."""
    if changelist.query or changelist.has_active_filters:
        return gettext(
            "Nothing matches the search and the filters. Change or reset them."
        )
    found = PURPOSES.get(changelist.opts.label_lower)
    return str(found.empty) if found else ""
