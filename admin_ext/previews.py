"""What a verb would do to the chosen sessions, asked of the core before it is done.

Reads only. ``actions`` shows a ``Preview`` on the first POST and asks again for each
session on the second, so that what has changed meanwhile is skipped with its reason.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from django.db.models import Model, Prefetch, QuerySet, prefetch_related_objects
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from upload import conf, jobs, legal_hold, policy
from upload import dry_run as dry_runs
from upload.dry_run import DryRun
from upload.models import Job, UploadSession
from upload.states import JobKind, SessionStatus, Verb


@dataclass(frozen=True, slots=True)
class Skip:
    """A session that a verb passes over, and why, as a whole sentence."""

    session: UploadSession
    reason: str


def by_reason(skips: Iterable[Skip]) -> dict[str, list[UploadSession]]:
    """Group the sessions, as many are skipped for the same reason."""
    grouped: dict[str, list[UploadSession]] = {}
    for skip in skips:
        grouped.setdefault(skip.reason, []).append(skip.session)
    return grouped


@dataclass(slots=True)
class Group:
    """Sessions that are skipped for one reason; ``more`` counts those not listed."""

    reason: str
    sessions: list[UploadSession]
    more: int = 0


@dataclass(slots=True)
class Preview:
    """``missing`` counts chosen sessions that are gone or may not be seen."""

    ready: list[UploadSession] = field(default_factory=list)
    skipped: list[Skip] = field(default_factory=list)
    missing: int = 0

    @property
    def files(self) -> int:
        return sum(session.total_files for session in self.ready)

    @property
    def ready_count(self) -> int:
        return len(self.ready)

    @property
    def ready_more(self) -> int:
        """How many are ready and not listed."""
        return 0

    @property
    def skipped_count(self) -> int:
        return len(self.skipped) + self.missing

    @property
    def groups(self) -> list[Group]:
        return [Group(*found) for found in by_reason(self.skipped).items()]

    @property
    def chosen(self) -> list[UploadSession]:
        """The sessions that the page posts again."""
        return [*self.ready, *(skip.session for skip in self.skipped)]

    @property
    def size_bytes(self) -> int:
        return sum(session.total_size_bytes for session in self.ready)


def with_active_jobs(sessions: QuerySet[UploadSession]) -> QuerySet[UploadSession]:
    """Fetch each session's waiting or running job into the list ``active_jobs``."""
    active = Prefetch("job_set", Job.objects.active(), to_attr="active_jobs")
    return sessions.prefetch_related(None).prefetch_related(active)


def with_titles[Row: Model](rows: Iterable[Row]) -> list[Row]:
    """Fetch the session of each job or file with its title, by one query for all."""
    found = list(rows)
    titled = Prefetch("session", UploadSession.objects.titled())
    prefetch_related_objects(found, titled)
    return found


def preview(actor: Any, verb: Verb, sessions: Any, missing: int = 0) -> Preview:
    """Return what the verb would do to ``sessions``, a queryset."""
    seen = Preview(missing=missing)
    for session in with_active_jobs(sessions.titled()):
        if reason := obstacle(actor, verb, session):
            seen.skipped.append(Skip(session, reason))
        else:
            seen.ready.append(session)
    return seen


def obstacle(
    actor: Any, verb: Verb, session: UploadSession, place: int | None = None
) -> str:
    """Return why ``verb`` cannot start on the session now; empty where it can.

    ``place`` is the key of the destination whose copies are to be verified.
    """
    if reason := _policy_obstacle(actor, verb, session):
        return reason
    if verb == Verb.LIFT and not session.hold_count:
        return _("It is under no legal hold.")
    if job := _active_job(session, verb, place):
        return _("%(job)s is waiting or running. Wait for it or cancel it first.") % {
            "job": job
        }
    return _retry_obstacle(actor, session) if verb == Verb.RETRY else ""


def _policy_obstacle(actor: Any, verb: Verb, session: UploadSession) -> str:
    """Say what the policy has against it, in words that fit many sessions."""
    rule = policy.RULES[verb]
    if not policy.has_right(actor, verb, session):
        return _("It takes the permission “%(permission)s”, which you lack.") % {
            "permission": f"upload.{rule.permission}"
        }
    if not policy.is_legal(verb, session.status):
        return _("It is “%(found)s”; this starts only from: %(allowed)s.") % {
            "found": SessionStatus(session.status).label,
            "allowed": policy.words(rule.origins),
        }
    if legal_hold.blocks(verb, session):
        return _("It is under legal hold. %(holds)s") % {
            "holds": legal_hold.sentences(session)
        }
    return ""


def _active_job(session: UploadSession, verb: Verb, place: int | None) -> Job | None:
    """Return the active job that is in the verb's way.

    A verification is in the way of one of the same place, and of nothing else.
    """
    if verb in {Verb.HOLD, Verb.LIFT}:
        return None
    fetched: list[Job] | None = getattr(session, "active_jobs", None)
    active = session.job_set.active() if fetched is None else fetched
    if verb == Verb.VERIFY:
        same = (JobKind.VERIFY, place)
        return next((j for j in active if (j.kind, j.destination_id) == same), None)
    return next((j for j in active if j.kind != JobKind.VERIFY), None)


def _retry_obstacle(actor: Any, session: UploadSession) -> str:
    """A retry takes the right to do what failed."""
    job = jobs.last_failed(session)
    if job is None:
        return _("Its last job did not fail, so there is nothing to retry.")
    return _policy_obstacle(actor, Verb(job.kind), session)


def dry_run(seen: Preview, data: dict[str, Any]) -> DryRun | None:
    """Return what a copy to the chosen destination would do; nothing is written."""
    destination = data.get("destination")
    if destination is None or not seen.ready:
        return None
    return dry_runs.preview(seen.ready, destination)


def notes(verb: Verb, seen: Preview) -> list[str]:
    """Return what else a person should know before confirming."""
    if verb == Verb.HOLD:
        return stopped_removals(_removals_of(seen))
    if verb == Verb.EXPIRE or not conf.removal_needs_approval():
        return []
    return approval_notes(sum(_waits(verb, session) for session in seen.ready))


def _removals_of(seen: Preview) -> int:
    return sum(
        job.kind == JobKind.REMOVE
        for session in seen.ready
        for job in getattr(session, "active_jobs", [])
    )


def stopped_removals(count: int) -> list[str]:
    """Tell of removals that a hold would keep from starting."""
    if not count:
        return []
    return [
        ngettext(
            "%(count)d removal that waits will fail when it would start.",
            "%(count)d removals that wait will fail when they would start.",
            count,
        )
        % {"count": count}
    ]


def _waits(verb: Verb, session: UploadSession) -> bool:
    """Whether the removal of this session waits for a second person."""
    if verb == Verb.RETRY:
        failed = jobs.last_failed(session)
        removes = failed is not None and failed.kind == JobKind.REMOVE
    else:
        removes = verb == Verb.REMOVE
    return removes and session.status != SessionStatus.UPLOADING


def approval_notes(count: int) -> list[str]:
    """Tell of removals that would wait for a second person."""
    if not count:
        return []
    return [
        ngettext(
            "%(count)d session holds stored files: its removal waits until a second "
            "person approves it.",
            "%(count)d sessions hold stored files: their removal waits until a second "
            "person approves it.",
            count,
        )
        % {"count": count}
    ]
