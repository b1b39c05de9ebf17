"""The page of one upload session, as a mixin of its model admin.

Nothing is edited here. What a person may do now is a link to the verb's preview, which
does it on a confirmed POST; the token is shown by POST alone and stands in no URL.
"""

from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.decorators import method_decorator
from django.utils.translation import gettext as _
from django.views.decorators.debug import sensitive_variables
from django.views.decorators.http import require_safe

from admin_ext import (
    columns,
    glance,
    holds,
    inlines,
    previews,
    session_files,
    state_diagram,
)
from admin_ext.actions import preview_view
from admin_ext.verbs import BULK_VERBS, BulkVerb
from upload import jobs, policy, tokens
from upload.errors import IllegalTransition, MunimentError, NotPermitted
from upload.models import Destination, InProgressSubmission, Job, UploadSession
from upload.states import JobKind, Verb


class SessionPage:
    """Shows the session; its buttons are the verbs that are legal now and permitted."""

    fields = ("uuid",)
    readonly_fields = ("uuid",)
    change_form_template = "admin_ext/session_page.html"
    admin_site: Any

    def get_urls(self) -> list[URLPattern]:
        wrap = self.admin_site.admin_view
        return [
            path(
                "<int:pk>/do/<slug:verb>/",
                wrap(self.verb_view),
                name="upload_uploadsession_verb",
            ),
            path(
                "<int:pk>/token/",
                wrap(self.token_view),
                name="upload_uploadsession_token",
            ),
            path(
                "<int:pk>/files/",
                wrap(self.glance_view),
                name="upload_uploadsession_glance",
            ),
            path(
                "<int:pk>/file-list/",
                wrap(self.files_view),
                name="upload_uploadsession_files",
            ),
            path(
                "<int:pk>/copies/<int:destination>/verify/",
                wrap(self.verify_copy_view),
                name="upload_uploadsession_verify_copy",
            ),
            *super().get_urls(),  # type: ignore[misc]
        ]

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any
    ) -> HttpResponse:
        if session := kwargs.get("obj"):
            context |= page_context(request, session)
        return super().render_change_form(request, context, *args, **kwargs)  # type: ignore[misc]

    def verb_view(self, request: HttpRequest, pk: int, verb: str) -> HttpResponse:
        """Preview a verb by GET; do it where the preview is confirmed by POST."""
        row = BULK_VERBS.get(verb)  # type: ignore[call-overload]
        if row is None:
            raise Http404
        session = self._visible(request, pk)
        chosen = UploadSession.objects.filter(pk=session.pk)
        return preview_view(request, row.verb, chosen, page_url(session))

    @method_decorator(require_safe)
    def glance_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        return glance.first_files(request, self._visible(request, pk))

    @method_decorator(require_safe)
    def files_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        return session_files.part(request, self._visible(request, pk))

    def verify_copy_view(
        self, request: HttpRequest, pk: int, destination: int
    ) -> HttpResponse:
        """Ask by POST that the copies at one destination are read and compared now."""
        if request.method != "POST":
            return HttpResponse(status=405, headers={"Allow": "POST"})
        session = self._visible(request, pk)
        place = Destination.objects.filter(pk=destination).first()
        if place is None:
            raise Http404
        try:
            jobs.request(session, JobKind.VERIFY, request.user, destination=place)
        except NotPermitted as error:
            raise PermissionDenied from error
        except (MunimentError, OSError) as error:
            messages.error(request, str(error))
        else:
            messages.success(request, _("The copies were queued to be verified."))
        return redirect(page_url(session))

    def token_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Show the upload token, after renewing it where ``renew`` is posted."""
        if request.method != "POST":
            return HttpResponse(status=405, headers={"Allow": "POST"})
        session = self._visible(request, pk)
        if not policy.has_right(request.user, Verb.UPLOAD, session):
            raise PermissionDenied
        if not takes_uploads(session):
            messages.warning(request, _("This session takes no uploads any more."))
            return redirect(page_url(session))
        if "renew" in request.POST:
            return self._renew(request, session)
        return token_page(request, session)

    def _renew(self, request: HttpRequest, session: UploadSession) -> HttpResponse:
        try:
            tokens.renew(session, request.user)
        except NotPermitted as error:
            raise PermissionDenied from error
        except IllegalTransition as error:
            messages.error(request, str(error))
            return redirect(page_url(session))
        messages.success(
            request, _("The token was renewed. The one before does not work any more.")
        )
        return token_page(request, session)

    def _visible(self, request: HttpRequest, pk: int) -> UploadSession:
        """Return the session, or raise 404 for whoever may not see it."""
        session: UploadSession | None = self.get_object(request, str(pk))  # type: ignore[attr-defined]
        if session is None or not policy.may_view(request.user, session):
            raise Http404
        return session


@sensitive_variables("context")
def token_page(request: HttpRequest, session: UploadSession) -> HttpResponse:
    context = {
        **admin.site.each_context(request),
        "title": _("Upload token"),
        "opts": UploadSession._meta,
        "session": session,
        "token": session.token,
        "page_url": page_url(session),
    }
    return TemplateResponse(request, "admin_ext/session/token.html", context)


def page_url(session: UploadSession) -> str:
    return reverse("admin:upload_uploadsession_change", args=[session.pk])


def is_verification(job: Job) -> bool:
    return job.kind == JobKind.VERIFY


def takes_uploads(session: UploadSession) -> bool:
    return policy.is_legal(Verb.UPLOAD, session.status)


def page_context(request: HttpRequest, session: UploadSession) -> dict[str, Any]:
    """Return all that the template shows; the number of queries is constant."""
    events, more_events = inlines.newest_events(session)
    active = list(session.job_set.active())
    session.active_jobs = active  # type: ignore[attr-defined]
    legal = policy.legal_verbs(request.user, session)
    return {
        "session": session,
        "status_badge": columns.status_badges(session),
        "expiry": columns.expiry(session),
        "submission": session.submission_set.first(),
        "draft": InProgressSubmission.objects.filter(upload_session=session).first(),
        # A verification runs beside the others, so theirs is told first.
        "active_job": min(active, key=is_verification, default=None),
        "verified_now": {j.destination_id for j in active if is_verification(j)},
        "buttons": buttons(request, session, legal),
        "may_upload": Verb.UPLOAD in legal,
        "states": state_diagram.diagram(session),
        "may_verify": Verb.VERIFY in legal,
        "jobs": inlines.newest_jobs(session),
        "accesses": inlines.newest_accesses(session),
        "events": events,
        "more_events": more_events,
        "copies": list(inlines.copies_by_destination(session)),
        **session_files.context(request, session),
        **holds.of_session(request, session),
    }


def buttons(
    request: HttpRequest, session: UploadSession, legal: list[Verb]
) -> list[BulkVerb]:
    """Return the verbs that would be done now if the person asked."""
    return [
        row
        for verb, row in BULK_VERBS.items()
        if verb in legal and not previews.obstacle(request.user, verb, session)
    ]
