"""What the upload page and its scripts are told, in the language of the reader."""

from typing import Any

from django.conf import settings
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext, pgettext

from upload import conf, policy, quantities
from upload.models import UploadSession
from upload.states import Verb

PLAIN_FILES = 500
# Fetched beside upload.js, not after it.
MODULES = (
    *("choosing", "known", "list", "queue", "rate", "refusals"),
    *("rest", "sender", "total", "tus", "words"),
)


def context(session: UploadSession, user: Any) -> dict[str, Any]:
    takes_files = (
        conf.file_upload_enabled()
        and policy.is_legal(Verb.UPLOAD, session.status)
        and policy.is_in_hand(user, session)
    )
    accepted = [e for group in conf.accepted_file_formats().values() for e in group]
    max_mb = conf.max_single_size_bytes() // conf.BYTES_PER_MB
    return {
        "title": _("Upload files"),
        "session": session,
        "takes_files": takes_files,
        "accepted": ", ".join(accepted),
        "max_mb": max_mb,
        "modules": [f"upload/{name}.js" for name in MODULES],
        "plain_files": session.tempuploadedfile_set.order_by("pk")[:PLAIN_FILES],
        "page_data": {
            "session": str(session.uuid),
            "files": reverse("upload:files", kwargs={"uuid": session.uuid}),
            "known": reverse("upload:known_files", kwargs={"uuid": session.uuid}),
            "tus": reverse("upload:tus", kwargs={"uuid": session.uuid}),
            "csrfCookie": settings.CSRF_COOKIE_NAME,
            "takesFiles": takes_files,
            "accepted": accepted,
            "maxBytes": conf.max_single_size_bytes(),
            "maxMb": max_mb,
            "units": [_("%(size)s B"), *map(str, quantities.UNITS)],
            "words": {**_of_a_file(), **_of_all()},
        },
    }


def _of_a_file() -> dict[str, str]:
    """Return states and actions of one file, with {placeholders}."""
    return {
        "waiting": _("Waiting"),
        "sending": _("Sending: {percent}%"),
        "keeping": _("Being kept"),
        "paused": _("Paused"),
        "lost": _("Waiting for the connection"),
        "soFar": _("{state}; {percent}% sent"),
        "unfinished": _(
            "{percent}% were sent before. Choose the same file again to go on."
        ),
        "kept": _("Received"),
        "stored": pgettext("a file", "Stored"),
        "failed": _("Not received: {reason}"),
        "removed": _("{name} was removed."),
        "pause": _("Pause"),
        "resume": _("Resume"),
        "choose": _("Choose again"),
        "retry": _("Try again"),
        "numbered": _("Keep both"),
        "remove": pgettext("a file", "Remove"),
        "about": _("{action}: {name}"),
        **_of_refusals(),
    }


def _of_refusals() -> dict[str, str]:
    """Return what was seen, and what the sender can do about it."""
    return {
        "taken": _(
            "The session already has a file of this name. Keep both, or rename the "
            "file and choose it again."
        ),
        "tooLarge": _(
            "The file is larger than {limit} MB. Divide it and choose the parts, or "
            "ask the records staff how to hand it over."
        ),
        "tooLargeBetween": _(
            "Something between here and the portal takes no file of this size. Tell "
            "an administrator."
        ),
        "badKind": _(
            "This kind of file is not accepted. Save it as one of the accepted kinds "
            "and choose that file."
        ),
        "unreadable": _(
            "The browser cannot read the file any more: it was changed, moved or "
            "removed. Choose it again."
        ),
        "unclear": _("The portal gave no clear answer ({status}). Try again."),
    }


def _of_all() -> dict[str, str | list[str]]:
    """Return what is said of all files; a list has the singular, then the plural."""
    return {
        "total": [
            ngettext(
                "{done} of {all} file received, {percent}%",
                "{done} of {all} files received, {percent}%",
                number,
            )
            for number in (1, 2)
        ],
        "bytes": _("{sent} of {all}"),
        "bytesAndRate": _("{sent} of {all}, {rate}/s, {left}"),
        "secondsLeft": _("{seconds} s left"),
        "minutesLeft": _("{minutes} min left"),
        "hoursLeft": _("{hours} h {minutes} min left"),
        "more": _("Show {more} more of {left}"),
        "finished": _("Files received: {kept}. Not received: {failed}."),
        "refusedOne": _("Not received: {name}. {reason}"),
        "refusedMany": _("{count} files were not received; the list says why."),
        "already": _("Already here, so not sent again: {count}."),
        "rest": _(
            "When this page was left, files of these had not been sent ({count}): "
            "{names}. Choose them again; what is here is not sent twice."
        ),
        "away": _("The connection is lost. Sending goes on by itself once it is back."),
        "back": _("The connection is back."),
        "offline": _("The connection was lost. Check the network and try again."),
        "noList": _("The list of files could not be loaded. Reload the page."),
        "unreadableFolder": _("“{name}” cannot be read. Choose it again."),
    }
