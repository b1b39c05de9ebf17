"""Pages for people who send files: a new session, and the upload page."""

from typing import Any
from uuid import UUID

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.module_loading import import_string
from django.utils.translation import gettext as _
from django.utils.translation import pgettext
from django.views.decorators.http import require_POST, require_safe

from upload import answers, conf, policy, quantities
from upload.models import UploadSession
from upload.states import Verb
from upload.views.doors import visible_session
from upload.views.frames import page
from upload.views.refusals import refused
from upload.views.sessions import open_own


@require_POST
@login_required
def new_session(request: HttpRequest) -> HttpResponse:
    """Open a session for the signed-in person and show its upload page."""
    try:
        session = open_own(request)
    except answers.KNOWN as error:
        return answers.private(refused(request, error))
    return redirect("upload:upload_page", uuid=session.uuid)


@require_safe
@login_required
def upload_page(request: HttpRequest, uuid: UUID) -> HttpResponse:
    """Show what the session holds and let its sender add files."""
    try:
        session = visible_session(request.user, uuid)
        policy.require_right(request.user, Verb.UPLOAD, session)
    except answers.KNOWN as error:
        return answers.private(refused(request, error))
    context = _upload_context(session, request.user)
    context["back_url"] = _session_url(request, session)
    return page(request, "upload/upload_page.html", context)


def _upload_context(session: UploadSession, user: Any) -> dict[str, Any]:
    takes_files = (
        conf.file_upload_enabled()
        and policy.is_legal(Verb.UPLOAD, session.status)
        and policy.is_in_hand(user, session)
    )
    accepted = [e for group in conf.accepted_file_formats().values() for e in group]
    return {
        "title": _("Upload files"),
        "session": session,
        "takes_files": takes_files,
        "accepted": ", ".join(accepted),
        "max_mb": conf.max_single_size_bytes() // conf.BYTES_PER_MB,
        "page_data": {
            "files": reverse("upload:files", kwargs={"uuid": session.uuid}),
            "takesFiles": takes_files,
            "accepted": accepted,
            "maxBytes": conf.max_single_size_bytes(),
            "maxMb": conf.max_single_size_bytes() // conf.BYTES_PER_MB,
            "units": [_("%(size)s B"), *quantities.UNITS],
            "words": _words(),
        },
    }


def _words() -> dict[str, str]:
    """Return what the page's script says, with {placeholders}."""
    return {
        "waiting": _("Waiting"),
        "sending": _("Sending: {percent}%"),
        "keeping": _("Being kept"),
        "kept": _("Received"),
        "stored": pgettext("a file", "Stored"),
        "failed": _("Not received: {reason}"),
        "cancelled": _("Cancelled"),
        "removed": _("{name} was removed."),
        "cancel": _("Cancel"),
        "retry": _("Try again"),
        "numbered": _("Keep both"),
        "remove": pgettext("a file", "Remove"),
        "about": _("{action}: {name}"),
        "total": _("{done} of {all} files received, {percent}%"),
        "finished": _("Files received: {kept}. Not received: {failed}."),
        "offline": _("The connection was lost. Check the network and try again."),
        "taken": _("The session already has a file of this name."),
        "tooLarge": _("The file is larger than {limit} MB."),
        "badKind": _("This kind of file is not accepted."),
        "noList": _("The list of files could not be loaded. Reload the page."),
        "unclear": _("The portal gave no clear answer ({status}). Try again."),
        "leave": _("Files are still being sent."),
    }


def _session_url(request: HttpRequest, session: UploadSession) -> str:
    """Return the session's own page: on the staff site, or among the sender's own."""
    if not (request.user.is_staff and conf.staff_site()):
        return reverse("upload:own_session", args=[session.uuid])
    name = import_string(conf.staff_site()).name
    return reverse(f"{name}:upload_uploadsession_change", args=[session.pk])
