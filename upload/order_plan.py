"""Freeze what a bulk order will do: one row a session, by one statement.

What stands in a verb's way is worked out in SQL, so that a hundred thousand sessions
are chosen while a person waits. Each session is asked again when its turn comes.
"""

from dataclasses import dataclass
from typing import Any

from django.db import connection
from django.db.models import (
    Case,
    CharField,
    Count,
    Exists,
    OuterRef,
    Q,
    Subquery,
    Sum,
    Value,
    When,
)
from django.utils.translation import gettext as _

from upload import legal_hold, policy
from upload.models import BulkItem, BulkOrder, Job, UploadSession
from upload.states import (
    MOVING_KINDS,
    JobKind,
    JobState,
    Obstacle,
    OrderOutcome,
    OrderVerb,
    SessionStatus,
    Verb,
)

DECISIONS = frozenset({OrderVerb.APPROVE, OrderVerb.DECLINE})
COLUMNS = (
    "order_id",
    "session_id",
    "session_uuid",
    "session_status",
    "files",
    "size_bytes",
    "obstacle",
    "outcome",
    "reason",
    "job_uuid",
)

type Sessions = Any  # a queryset of UploadSession
type Whens = list[When]


@dataclass(frozen=True, slots=True)
class Share:
    """Sessions of an order that were in one state and had one obstacle, or none."""

    obstacle: str
    session_status: str
    sessions: int
    files: int
    size_bytes: int


def permission_of(verb: str) -> str:
    """Return the full name of the permission that an order takes."""
    if verb in DECISIONS:
        return "upload.approve_removal_uploadsession"
    return f"upload.{policy.RULES[Verb(verb)].permission}"


def freeze(order: BulkOrder, sessions: Sessions, actor: Any) -> int:
    """Insert the order's items for ``sessions``; return how many. Call it once."""
    chosen = UploadSession.objects.filter(pk__in=sessions.order_by().values("pk"))
    marked = chosen.annotate(
        found_order=_number(order.pk),
        found_obstacle=Case(
            *_whens(OrderVerb(order.verb), actor),
            default=_text(Obstacle.NONE),
            output_field=CharField(),
        ),
        found_reason=_text(""),
        found_job=_job_to_decide(order.verb),
    ).annotate(
        found_outcome=Case(
            When(found_obstacle=Obstacle.NONE, then=_text(OrderOutcome.PENDING)),
            default=_text(OrderOutcome.SKIPPED),
            output_field=CharField(),
        )
    )
    rows = marked.order_by("pk").values_list(
        "found_order",
        "pk",
        "uuid",
        "status",
        "total_files",
        "total_size_bytes",
        "found_obstacle",
        "found_outcome",
        "found_reason",
        "found_job",
    )
    return _insert_selected(rows)


def _insert_selected(rows: Any) -> int:
    sql, values = rows.query.get_compiler(connection=connection).as_sql()
    quoted = connection.ops.quote_name
    names = ", ".join(quoted(name) for name in COLUMNS)
    table = quoted(BulkItem._meta.db_table)
    with connection.cursor() as cursor:
        cursor.execute(f"INSERT INTO {table} ({names}) {sql}", values)
        return int(cursor.rowcount)


def _text(value: str) -> Value:
    return Value(str(value), output_field=CharField())


def _number(value: int) -> Value:
    return Value(value, output_field=BulkOrder._meta.pk)


def _job_to_decide(verb: str) -> Any:
    """Return the uuid of the removal that waits, or NULL for other verbs."""
    waiting = Job.objects.filter(session=OuterRef("pk"))
    if verb not in DECISIONS:
        waiting = waiting.none()
    waiting = waiting.filter(state=JobState.AWAITING_APPROVAL)
    return Subquery(waiting.order_by("pk").values("uuid")[:1])


def _whens(verb: OrderVerb, actor: Any) -> Whens:
    """Return the obstacles of a verb in the order in which they are told."""
    if verb in DECISIONS:
        return _decision_whens(verb, actor)
    whens = [_when(Obstacle.STATE, ~Q(status__in=policy.RULES[Verb(verb)].origins))]
    if Verb(verb) in legal_hold.DISPOSING:
        whens.append(_when(Obstacle.HELD, Q(hold_count__gt=0)))
    if verb == OrderVerb.LIFT:
        whens.append(_when(Obstacle.NOT_HELD, Q(hold_count=0)))
    if verb not in {OrderVerb.HOLD, OrderVerb.LIFT}:
        whens.append(_when(Obstacle.BUSY, _in_the_way(verb)))
    if verb == OrderVerb.RETRY:
        whens += _retry_whens(actor)
    return whens


def _when(obstacle: Obstacle, condition: Any) -> When:
    return When(condition, then=_text(obstacle))


def _in_the_way(verb: OrderVerb) -> Exists:
    """A verification is in the way of one of the same place, and of nothing else."""
    active = Job.objects.active().filter(session=OuterRef("pk"))
    if verb == OrderVerb.VERIFY:
        return Exists(active.filter(kind=JobKind.VERIFY, destination=None))
    return Exists(active.filter(kind__in=MOVING_KINDS))


def _retry_whens(actor: Any) -> Whens:
    """A retry takes a failed last job, and what that job took."""
    # Asked from within a query of jobs, whose own key is not the session's.
    last = Job.objects.filter(session=OuterRef("session"), kind__in=MOVING_KINDS)
    newest = Subquery(last.order_by("-pk").values("pk")[:1])
    failed = Job.objects.filter(
        session=OuterRef("pk"),
        pk=newest,
        state__in=[JobState.FAILED, JobState.CANCELLED],
    )
    whens = [_when(Obstacle.NOTHING_FAILED, ~Exists(failed))]
    for kind in MOVING_KINDS:
        of_kind = Exists(failed.filter(kind=kind))
        rule = policy.RULES[Verb(kind)]
        if not actor.has_perm(f"upload.{rule.permission}"):
            whens.append(_when(Obstacle.NO_RIGHT, of_kind))
        astray = ~Q(status__in=rule.origins)
        whens.append(_when(Obstacle.STATE, of_kind & astray))
        if kind == JobKind.REMOVE:
            whens.append(_when(Obstacle.HELD, of_kind & Q(hold_count__gt=0)))
    return whens


def _decision_whens(verb: OrderVerb, actor: Any) -> Whens:
    waiting = Job.objects.filter(
        session=OuterRef("pk"), state=JobState.AWAITING_APPROVAL
    )
    own = Exists(waiting.filter(requester=actor.pk))
    whens = [_when(Obstacle.STATE, ~Exists(waiting)), _when(Obstacle.NO_RIGHT, own)]
    if verb == OrderVerb.APPROVE:
        whens.append(_when(Obstacle.HELD, Q(hold_count__gt=0)))
    return whens


def shares(order: BulkOrder) -> list[Share]:
    """Return the parts of an order by what was found when it was frozen."""
    rows = order.item_set.order_by().values_list("obstacle", "session_status")
    counted = rows.annotate(Count("pk"), Sum("files"), Sum("size_bytes"))
    return [Share(*row) for row in counted.order_by("obstacle", "session_status")]


def outcome_counts(order: BulkOrder) -> dict[str, int]:
    """Return how many sessions have come to each outcome."""
    rows = order.item_set.order_by().values_list("outcome")
    return dict(rows.annotate(Count("pk")))


def sentence(verb: str, obstacle: str, session_status: str) -> str:
    """Say why sessions are passed over, in words that fit many of them."""
    if obstacle == Obstacle.STATE and verb not in DECISIONS:
        return _("It is “%(found)s”; this starts only from: %(allowed)s.") % {
            "found": SessionStatus(session_status).label,
            "allowed": policy.words(policy.RULES[Verb(verb)].origins),
        }
    return {
        Obstacle.STATE: _("Its removal does not wait for an approval any more."),
        Obstacle.HELD: _("It is under legal hold."),
        Obstacle.NOT_HELD: _("It is under no legal hold."),
        Obstacle.BUSY: _(
            "A job is waiting or running. Wait for it or cancel it first."
        ),
        Obstacle.NOTHING_FAILED: _(
            "Its last job did not fail, so there is nothing to retry."
        ),
        Obstacle.NO_RIGHT: _("It takes a right that you lack, or a second person."),
    }.get(Obstacle(obstacle), "")


def reason_of(order: BulkOrder, item: BulkItem) -> str:
    """Return why a session is not done, as kept or in the reader's language."""
    return item.reason or sentence(order.verb, item.obstacle, item.session_status)


def reason_shown(order: BulkOrder, item: BulkItem) -> str:
    """Return why a session is not done, in the reader's language."""
    return item.reason_shown or reason_of(order, item)
