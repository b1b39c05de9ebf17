"""The verbs that staff do to sessions, as data: one row a verb.

Read by ``actions`` (bulk actions and their preview), and by the session page for its
buttons. A row decides nothing: rights and states are asked of ``upload.policy``.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy
from unfold.widgets import UnfoldAdminSelectWidget, UnfoldAdminTextareaWidget

from upload import expiry, holding, jobs, policy
from upload.errors import IllegalTransition
from upload.events import Cause
from upload.models import Destination, Job, UploadSession
from upload.states import JobKind, JobState, Verb

type Act = Callable[[UploadSession, Any, dict[str, Any]], Job | None]


class NothingMoreForm(forms.Form):
    """Asks for nothing but the confirmation."""


class ReasonForm(forms.Form):
    reason = forms.CharField(
        label=_("Reason"),
        max_length=2000,
        widget=UnfoldAdminTextareaWidget(attrs={"rows": 3}),
        help_text=_("Kept for good in the events of each session."),
    )


class DestinationForm(forms.Form):
    destination = forms.ModelChoiceField(
        label=_("Destination"),
        queryset=Destination.objects.none(),
        empty_label=_("Choose a destination"),
        widget=UnfoldAdminSelectWidget(),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field: Any = self.fields["destination"]
        field.queryset = Destination.objects.enabled()
        field.label_from_instance = lambda obj: f"{obj.name} ({obj.root})"


def expire(session: UploadSession, actor: Any, data: dict[str, Any]) -> None:
    policy.require_right(actor, Verb.EXPIRE, session)
    expiry.expire(session, Cause(actor=actor, reason=data["reason"]))


def store(session: UploadSession, actor: Any, data: dict[str, Any]) -> None:
    jobs.request(session, JobKind.STORE, actor)


def copy(session: UploadSession, actor: Any, data: dict[str, Any]) -> None:
    jobs.request(session, JobKind.COPY, actor, destination=data["destination"])


def remove(session: UploadSession, actor: Any, data: dict[str, Any]) -> Job:
    """Return the job: it may wait for a second person."""
    return jobs.request(session, JobKind.REMOVE, actor, reason=data["reason"])


def verify(session: UploadSession, actor: Any, data: dict[str, Any]) -> None:
    jobs.request(session, JobKind.VERIFY, actor)


def hold(session: UploadSession, actor: Any, data: dict[str, Any]) -> None:
    holding.place(session, actor, data["reason"])


def lift(session: UploadSession, actor: Any, data: dict[str, Any]) -> None:
    holding.lift_all(session, actor, data["reason"])


def retry(session: UploadSession, actor: Any, data: dict[str, Any]) -> None:
    job = jobs.last_failed(session)
    if job is None:
        raise IllegalTransition(
            session=str(session.uuid),
            found=str(_("without a failed job")),
            asked=str(_("be retried")),
            allowed=str(JobState.FAILED.label),
        )
    jobs.retry(job, actor)


@dataclass(frozen=True, slots=True)
class BulkVerb:
    """One verb as staff see it.

    ``done`` is the end of the sentence "3 sessions …"; ``warning`` says what cannot be
    undone and is empty where nothing is lost.
    """

    verb: Verb
    action: str
    label: Any
    title: Any
    effect: Any
    source: Any
    target: Any
    done: Any
    act: Act
    icon: str
    warning: Any = ""
    form: type[forms.Form] = NothingMoreForm

    @property
    def can_be_tried(self) -> bool:
        """Whether the preview can say more once the form is filled in."""
        return self.verb == Verb.COPY

    @property
    def permission(self) -> str:
        """The full permission name, with the app's label."""
        return f"upload.{policy.RULES[self.verb].permission}"


BULK_VERBS: dict[Verb, BulkVerb] = {
    row.verb: row
    for row in (
        BulkVerb(
            verb=Verb.EXPIRE,
            action="expire_sessions",
            label=_("Expire"),
            title=_("Expire upload sessions"),
            effect=_("The sessions are closed and their files are deleted now."),
            source=_("Temporary storage"),
            target=_("Deleted"),
            done=pgettext_lazy("3 sessions …", "expired"),
            act=expire,
            icon="timer_off",
            warning=_("The files cannot be brought back."),
            form=ReasonForm,
        ),
        BulkVerb(
            verb=Verb.STORE,
            action="store_sessions",
            label=_("Store"),
            title=_("Store upload sessions"),
            effect=_("A background job moves the files, each verified by its SHA-256."),
            source=_("Temporary storage"),
            target=_("Permanent storage"),
            done=_("queued to be stored"),
            act=store,
            icon="inventory_2",
            warning=_("Stored sessions take no further files and never expire."),
        ),
        BulkVerb(
            verb=Verb.COPY,
            action="copy_sessions",
            label=_("Copy to a destination"),
            title=_("Copy upload sessions to a destination"),
            effect=_(
                "A background job writes a verified copy of the files, in a folder "
                "for each session. Nothing there is overwritten; the sessions stay "
                "stored."
            ),
            source=_("Permanent storage"),
            target=_("The destination chosen below"),
            done=_("queued to be copied"),
            act=copy,
            icon="file_copy",
            form=DestinationForm,
        ),
        BulkVerb(
            verb=Verb.REMOVE,
            action="remove_sessions",
            label=_("Remove files"),
            title=_("Remove the files of upload sessions"),
            effect=_(
                "A background job deletes every file. The sessions, their events and "
                "copies at destinations stay."
            ),
            source=_("Temporary and permanent storage"),
            target=_("Deleted"),
            done=_("queued to have their files removed"),
            act=remove,
            icon="delete_forever",
            warning=_("The files cannot be brought back once the removal has started."),
            form=ReasonForm,
        ),
        BulkVerb(
            verb=Verb.RETRY,
            action="retry_sessions",
            label=_("Retry the failed job"),
            title=_("Retry the failed jobs of upload sessions"),
            effect=_("The last failed job is asked again; what is done is not redone."),
            source=_("Where the failed job left the files"),
            target=_("Where the failed job was taking them"),
            done=_("queued again"),
            act=retry,
            icon="replay",
        ),
        BulkVerb(
            verb=Verb.VERIFY,
            action="verify_sessions",
            label=_("Verify"),
            title=_("Verify the files of upload sessions"),
            effect=_(
                "A background job reads every stored file in full and compares it "
                "with the SHA-256 taken at its receipt. Nothing is changed."
            ),
            source=_("Permanent storage"),
            target=_("Nowhere"),
            done=_("queued to be verified"),
            act=verify,
            icon="verified",
        ),
        BulkVerb(
            verb=Verb.HOLD,
            action="hold_sessions",
            label=_("Place a legal hold"),
            title=_("Place a legal hold on upload sessions"),
            effect=_(
                "Nobody and no job can remove, expire or delete these sessions or "
                "their files until every hold is lifted. They can be stored, copied "
                "and verified as before."
            ),
            source=_("Where the files are"),
            target=_("They stay there"),
            done=_("put on hold"),
            act=hold,
            icon="gavel",
            warning=_("A hold is never deleted: who placed it, when and why stays."),
            form=ReasonForm,
        ),
        BulkVerb(
            verb=Verb.LIFT,
            action="lift_sessions",
            label=_("Lift legal holds"),
            title=_("Lift the legal holds of upload sessions"),
            effect=_(
                "Every hold on these sessions and on their submissions is lifted. To "
                "lift one of several, open the session."
            ),
            source=_("Where the files are"),
            target=_("They stay there"),
            done=pgettext_lazy("3 sessions …", "freed of their holds"),
            act=lift,
            icon="lock_open",
            warning=_("From then on the files can be removed and can expire again."),
            form=ReasonForm,
        ),
    )
}
