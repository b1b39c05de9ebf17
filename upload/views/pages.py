"""Pages for people who send files: a new session, and the upload page."""

from uuid import UUID

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.module_loading import import_string
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods

from upload import answers, conf, policy
from upload.models import UploadSession
from upload.states import Verb
from upload.views import plain_form, upload_words
from upload.views.doors import visible_session
from upload.views.frames import page
from upload.views.posting import posting
from upload.views.refusals import refused
from upload.views.sessions import open_own


@posting("upload:own_sessions")
def new_session(request: HttpRequest) -> HttpResponse:
    """Open a session for the signed-in person and show its upload page."""
    try:
        session = open_own(request)
    except answers.KNOWN as error:
        return answers.private(refused(request, error))
    return redirect("upload:upload_page", uuid=session.uuid)


@csrf_exempt  # the form's own token is asked before its files are read
@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def upload_page(request: HttpRequest, uuid: UUID) -> HttpResponse:
    """Show what the session holds and let its sender add files.

    A POST is the form of a browser without JavaScript.
    """
    try:
        session = visible_session(request.user, uuid)
        policy.require_right(request.user, Verb.UPLOAD, session)
        if request.method == "POST":
            return plain_form.take(request, session)
    except answers.KNOWN as error:
        return answers.private(refused(request, error))
    context = upload_words.context(session, request.user)
    context["back_url"] = _session_url(request, session)
    return page(request, "upload/upload_page.html", context)


def _session_url(request: HttpRequest, session: UploadSession) -> str:
    """Return the session's own page: on the staff site, or among the sender's own."""
    if not (request.user.is_staff and conf.staff_site()):
        return reverse("upload:own_session", args=[session.uuid])
    name = import_string(conf.staff_site()).name
    return reverse(f"{name}:upload_uploadsession_change", args=[session.pk])
