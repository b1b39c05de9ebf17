"""How lists of sessions and jobs are narrowed: one FilterSet a model.

The single definition behind the admin's list filters, the exports and the JSON list:
same names in the query string, same counts everywhere. Searches stand in URLs, so a
session's token is never searched. Who may see a row is not decided here.
"""

from collections.abc import Iterable
from datetime import timedelta
from typing import Any

from django.db.models import Q, QuerySet
from django.http import QueryDict
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext_lazy
from django_filters import (
    CharFilter,
    ChoiceFilter,
    FilterSet,
    MultipleChoiceFilter,
    NumberFilter,
)

from upload import conf, session_search
from upload.errors import FilterRefused
from upload.filter_fields import FromDay, SearchFilter, SizeFilter, ToDay
from upload.models import (
    AccessLog,
    Job,
    UploadSession,
)
from upload.session_search import Found, person, uuid_prefix
from upload.states import EXPIRING, OPEN, JobKind, JobState, SessionStatus

MAX_MINUTES = 10 * 366 * 24 * 60


class SessionFilter(FilterSet):  # type: ignore[misc]
    """Narrows upload sessions; ``found`` is what the search came to, once asked."""

    found: Found | None = None

    status = MultipleChoiceFilter(
        label=gettext_lazy("Status"), choices=SessionStatus.choices, distinct=False
    )
    expiry = ChoiceFilter(
        label=gettext_lazy("Expiry"),
        empty_label=gettext_lazy("Any"),
        choices=[
            ("expired", gettext_lazy("Expired")),
            ("soon", gettext_lazy("Expires soon")),
            ("never", gettext_lazy("Never expires")),
        ],
        method="by_expiry",
    )
    expires_within = NumberFilter(
        label=gettext_lazy("Expires within (minutes)"),
        min_value=0,
        max_value=MAX_MINUTES,
        decimal_places=0,
        method="by_minutes_left",
    )
    owner = CharFilter(
        label=gettext_lazy("Owner (user name)"), method="by_owner", max_length=150
    )
    started_after = FromDay(
        label=gettext_lazy("Started on or after"), field_name="started_at"
    )
    started_before = ToDay(
        label=gettext_lazy("Started on or before"), field_name="started_at"
    )
    interaction_after = FromDay(
        label=gettext_lazy("Last interaction on or after"),
        field_name="last_upload_interaction_time",
    )
    interaction_before = ToDay(
        label=gettext_lazy("Last interaction on or before"),
        field_name="last_upload_interaction_time",
    )
    size_min = SizeFilter(
        label=gettext_lazy("Size at least (bytes, or with a unit)"),
        field_name="total_size_bytes",
        lookup_expr="gte",
    )
    size_max = SizeFilter(
        label=gettext_lazy("Size at most (bytes, or with a unit)"),
        field_name="total_size_bytes",
        lookup_expr="lte",
    )
    hold = ChoiceFilter(
        label=gettext_lazy("Legal hold"),
        empty_label=gettext_lazy("Any"),
        choices=[("on", gettext_lazy("On hold")), ("off", gettext_lazy("Not on hold"))],
        method="by_hold",
    )
    q = SearchFilter(method="by_phrase")

    class Meta:
        model = UploadSession
        fields: tuple[str, ...] = ()

    def by_expiry(
        self, queryset: QuerySet[Any], name: str, value: str
    ) -> QuerySet[Any]:
        return EXPIRY[value](queryset)

    def by_minutes_left(
        self, queryset: QuerySet[Any], name: str, value: Any
    ) -> QuerySet[Any]:
        return expiring_within(queryset, timedelta(minutes=int(value)))

    def by_hold(self, queryset: QuerySet[Any], name: str, value: str) -> QuerySet[Any]:
        held = Q(hold_count__gt=0)
        return queryset.filter(held if value == "on" else ~held)

    def by_owner(self, queryset: QuerySet[Any], name: str, value: str) -> QuerySet[Any]:
        return queryset.filter(user__in=_people(value))

    def by_phrase(
        self, queryset: QuerySet[Any], name: str, value: str
    ) -> QuerySet[Any]:
        self.found = session_search.find(value)
        return queryset.filter(self.found.condition)


def _people(name: str) -> list[Any]:
    """Ask for the people first: with a join, all rows would be read for one of them."""
    return list(session_search.people_called(name))


def expired(sessions: Any) -> Any:
    over = Q(status=SessionStatus.EXPIRED)
    after = conf.expire_after()
    if after is not None:
        cutoff = timezone.now() - after
        over |= Q(status__in=OPEN, last_upload_interaction_time__lt=cutoff)
    return sessions.filter(over)


def expiring_within(sessions: Any, span: timedelta) -> Any:
    """Return open sessions whose time is not over yet but will be after ``span``."""
    after = conf.expire_after()
    if after is None:
        return sessions.none()
    over = timezone.now() - after
    return sessions.filter(
        status__in=OPEN,
        last_upload_interaction_time__gte=over,
        last_upload_interaction_time__lt=over + span,
    )


def expiring_soon(sessions: Any) -> Any:
    minutes = conf.expiring_reminder_minutes()
    if minutes is None:
        return sessions.none()
    return expiring_within(sessions, timedelta(minutes=minutes))


def never_expiring(sessions: Any) -> Any:
    if conf.expire_after() is None:
        return sessions.exclude(status=SessionStatus.EXPIRED)
    return sessions.exclude(status__in=EXPIRING)


EXPIRY = {"expired": expired, "soon": expiring_soon, "never": never_expiring}


class JobFilter(FilterSet):  # type: ignore[misc]
    """Narrows jobs."""

    state = MultipleChoiceFilter(
        label=gettext_lazy("State"), choices=JobState.choices, distinct=False
    )
    kind = MultipleChoiceFilter(
        label=gettext_lazy("Kind"), choices=JobKind.choices, distinct=False
    )
    requester = CharFilter(
        label=gettext_lazy("Asked by (user name)"),
        method="by_requester",
        max_length=150,
    )
    created_after = FromDay(
        label=gettext_lazy("Asked on or after"), field_name="created_at"
    )
    created_before = ToDay(
        label=gettext_lazy("Asked on or before"), field_name="created_at"
    )
    q = SearchFilter(method="by_phrase")

    class Meta:
        model = Job
        fields: tuple[str, ...] = ()

    def by_requester(
        self, queryset: QuerySet[Any], name: str, value: str
    ) -> QuerySet[Any]:
        return queryset.filter(requester__in=_people(value))

    def by_phrase(
        self, queryset: QuerySet[Any], name: str, value: str
    ) -> QuerySet[Any]:
        return queryset.filter(
            uuid_prefix("uuid", value)
            | uuid_prefix("session_uuid", value)
            | person("requester", value)
        )


class AccessFilter(FilterSet):  # type: ignore[misc]
    """Narrows the log of who opened which file."""

    action = ChoiceFilter(
        label=gettext_lazy("Action"),
        empty_label=gettext_lazy("Any"),
        choices=[
            ("view", pgettext_lazy("access", "Viewed")),
            ("download", pgettext_lazy("access", "Downloaded")),
        ],
    )
    who = CharFilter(
        label=gettext_lazy("Person (user name)"),
        field_name="user_name",
        lookup_expr="iexact",
        max_length=150,
    )
    opened_after = FromDay(
        label=gettext_lazy("Opened on or after"), field_name="created_at"
    )
    opened_before = ToDay(
        label=gettext_lazy("Opened on or before"), field_name="created_at"
    )

    class Meta:
        model = AccessLog
        fields: tuple[str, ...] = ()


def strict(
    filterset_class: type[FilterSet],
    params: QueryDict,
    queryset: QuerySet[Any],
    ignore: Iterable[str] = (),
) -> QuerySet[Any]:
    """Return ``queryset`` narrowed by ``params``, of which each must be understood.

    ``ignore`` names parameters that are the caller's own, such as the page. Raise
    ``FilterRefused`` naming every unknown parameter and bad value.
    """
    known = set(filterset_class.base_filters)
    unknown = sorted(set(params) - known - set(ignore))
    problems = {name: _unknown_text(known) for name in unknown}
    filterset = filterset_class(params, queryset)
    for name, errors in filterset.form.errors.items():
        problems[name] = " ".join(str(error) for error in errors)
    if problems:
        raise FilterRefused(problems)
    narrowed: QuerySet[Any] = filterset.qs
    return narrowed


def _unknown_text(known: set[str]) -> str:
    return _("There is no such filter. Known filters: %(names)s.") % {
        "names": ", ".join(sorted(known))
    }
