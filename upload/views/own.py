"""A sender's own sessions: the list, and the page to describe and submit one.

Other people's sessions are as good as missing here, also for staff: they have the
admin. What is done is a POST; what the core refuses is told on the page it came from.
"""

from collections.abc import Callable
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from upload import answers, policy, quantities, submitting
from upload.errors import MunimentError, NotFound
from upload.models import UploadSession
from upload.states import SessionStatus, Verb
from upload.views.description_form import DescriptionForm, ReuseForm, SubmitForm
from upload.views.frames import page
from upload.views.posting import posting
from upload.views.refusals import refused

PAGE_SIZE = 25
FILES_SHOWN = 50


def _own(user: Any) -> Any:
    mine = UploadSession.objects.visible_to(user).filter(user=user)
    return mine.select_related("in_progress_submission")


def _own_session(request: HttpRequest, uuid: UUID) -> UploadSession:
    session: UploadSession | None = _own(request.user).filter(uuid=uuid).first()
    if session is None:
        raise NotFound(_("There is no such session, or it is not yours to see."))
    return session


@require_safe
@login_required
def own_sessions(request: HttpRequest) -> HttpResponse:
    """Show the person's own sessions, newest first."""
    sessions = _own(request.user).prefetch_related("submission_set")
    shown = Paginator(sessions, PAGE_SIZE).get_page(request.GET.get("page"))
    context = {
        "title": _("Your upload sessions"),
        "page": shown,
        "lines": [summary(session) for session in shown],
        "may_open": policy.may_open_session(request.user),
    }
    return page(request, "upload/own_sessions.html", context)


def summary(session: UploadSession) -> dict[str, Any]:
    """Return what a sender is told of a session; ``submission`` may be None."""
    submission = next(iter(session.submission_set.all()), None)
    draft = getattr(session, "in_progress_submission", None)
    is_open = policy.is_legal(Verb.UPLOAD, session.status) and submission is None
    return {
        "session": session,
        "submission": submission,
        "draft": draft,
        "name": getattr(submission or draft, "title", ""),
        "size": quantities.size_text(session.total_size_bytes),
        "is_open": is_open,
        "is_expired": session.status == SessionStatus.EXPIRED,
        "warns": is_open and session.expires_soon,
        "expires": session.expires_at if is_open else None,
    }


@require_safe
@login_required
def own_session(request: HttpRequest, uuid: UUID) -> HttpResponse:
    """Show one session of the person: its files, its description, its submission."""
    try:
        session = _own_session(request, uuid)
    except answers.KNOWN as error:
        return answers.private(refused(request, error))
    return _show(request, session)


def _show(request: HttpRequest, session: UploadSession, **forms: Any) -> HttpResponse:
    """Show the page; ``forms`` are those that were not filled in right."""
    told = summary(session)
    files = session.tempuploadedfile_set.order_by("pk")[:FILES_SHOWN]
    free = submitting.reusable(request.user)
    context = told | {
        "told": told,
        "title": told["name"] or _("Upload session"),
        "files": [(file, quantities.size_text(file.size)) for file in files],
        "more_files": max(session.total_files - FILES_SHOWN, 0),
        "may_describe": _may_describe(request.user, told),
        "missing": _missing(told),
        "form": forms.get("form") or DescriptionForm(initial=vars_of(told["draft"])),
        "reuse": forms.get("reuse")
        or (free.exists() and ReuseForm(None, choices=free)),
        "submit": forms.get("submit") or SubmitForm(),
    }
    status = 400 if forms else 200
    return page(request, "upload/own_session.html", context, status)


def _may_describe(user: Any, told: dict[str, Any]) -> bool:
    over = told["submission"] or told["is_expired"]
    return not over and policy.may_submit(user, told["session"])


def _missing(told: dict[str, Any]) -> str:
    """Return what a submission still waits for and what to do, or ``""``."""
    has_files, draft = told["session"].total_files > 0, told["draft"]
    if draft and draft.title.strip():
        return "" if has_files else _("Only the files are missing: upload them.")
    if draft:
        if has_files:
            return _("Only the title is missing: write it above and save it.")
        return _("Files and a title are missing: upload files and save a title.")
    if has_files:
        return _("Only the description is missing: write it above and save it.")
    return _("Files and a description are missing: upload files and save one.")


def vars_of(draft: Any) -> dict[str, str]:
    """Return what stands in the description's form at first."""
    return {name: getattr(draft, name, "") for name in submitting.DESCRIBED}


def deed(act: Callable[[HttpRequest, UploadSession], HttpResponse | str]) -> Any:
    """Return a view for a POST on an own session; ``act`` answers or says what it did.

    What the core refuses is told on the session's page and changes nothing.
    """

    @posting("upload:own_session")
    def view(request: HttpRequest, uuid: UUID) -> HttpResponse:
        try:
            session = _own_session(request, uuid)
            done = act(request, session)
        except answers.KNOWN as error:
            if not isinstance(error, MunimentError) or answers.status_of(error) < 409:
                return answers.private(refused(request, error))
            answers.log_refusal(request, error)
            messages.error(request, str(error))
            return redirect("upload:own_session", uuid=uuid)
        if isinstance(done, HttpResponse):
            return done
        messages.success(request, done)
        return redirect("upload:own_session", uuid=uuid)

    return view


def _describe(request: HttpRequest, session: UploadSession) -> HttpResponse | str:
    form = DescriptionForm(request.POST)
    if not form.is_valid():
        return _show(request, session, form=form)
    submitting.describe(session, request.user, form.description())
    return _("The description was saved.")


def _reuse(request: HttpRequest, session: UploadSession) -> HttpResponse | str:
    free = submitting.reusable(request.user)
    form = ReuseForm(request.POST, choices=free)
    if not form.is_valid():
        return _show(request, session, reuse=form)
    submitting.reuse(session, request.user, form.cleaned_data["draft"])
    return _("The description is that of this session now.")


def _submit(request: HttpRequest, session: UploadSession) -> HttpResponse | str:
    form = SubmitForm(request.POST)
    if not form.is_valid():
        return _show(request, session, submit=form)
    submitting.submit_session(session, request.user)
    return _("Submitted. The records staff take it from here.")


describe, reuse, submit = deed(_describe), deed(_reuse), deed(_submit)
