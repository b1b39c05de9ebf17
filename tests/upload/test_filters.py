"""The shared filters: every field, the search, and what strict refuses."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.http import QueryDict
from django.utils import timezone

from tests.make import make_job, make_session, make_user, set_status
from upload.errors import FilterRefused
from upload.filter_fields import SizeField
from upload.filters import JobFilter, SessionFilter, strict
from upload.models import InProgressSubmission, Job, Submission, UploadSession
from upload.states import JobKind, SessionStatus

pytestmark = pytest.mark.django_db
S = SessionStatus


def found(query: str) -> set[Any]:
    """Return the primary keys of the sessions that the query string finds."""
    rows = strict(SessionFilter, QueryDict(query), UploadSession.objects.all())
    return {row.pk for row in rows}


def silent_for(session: UploadSession, minutes: int) -> UploadSession:
    at = timezone.now() - timedelta(minutes=minutes)
    session.last_upload_interaction_time = at
    session.save()
    return session


def test_several_statuses_are_any_of_them() -> None:
    created, uploading = make_session(), make_session(S.UPLOADING)
    make_session(S.EXPIRED)

    assert found("status=CR&status=UG") == {created.pk, uploading.pk}


def test_expired_holds_expired_sessions_and_those_whose_time_is_over(
    settings: Any,
) -> None:
    settings.UPLOAD_SESSION_EXPIRE_AFTER_INACTIVE_MINUTES = 60
    expired, over = make_session(S.EXPIRED), silent_for(make_session(), 61)
    silent_for(make_session(), 59)

    assert found("expiry=expired") == {expired.pk, over.pk}


def test_soon_is_within_the_reminder_time_and_not_over(settings: Any) -> None:
    settings.UPLOAD_SESSION_EXPIRE_AFTER_INACTIVE_MINUTES = 60
    settings.UPLOAD_SESSION_EXPIRING_REMINDER_MINUTES = 10
    soon = silent_for(make_session(), 55)
    silent_for(make_session(), 45), silent_for(make_session(), 65)

    assert found("expiry=soon") == {soon.pk}


def test_no_session_expires_soon_where_reminders_are_off(settings: Any) -> None:
    settings.UPLOAD_SESSION_EXPIRING_REMINDER_MINUTES = -1
    silent_for(make_session(), 1439)

    assert found("expiry=soon") == set()


def test_never_holds_sessions_in_states_that_do_not_expire() -> None:
    make_session(), make_session(S.EXPIRED)
    stored = set_stored()

    assert found("expiry=never") == {stored.pk}


def set_stored() -> UploadSession:
    session = make_session(S.UPLOADING)
    set_status(session, S.STORED)
    return session


def test_never_holds_open_sessions_where_expiry_is_off(settings: Any) -> None:
    settings.UPLOAD_SESSION_EXPIRE_AFTER_INACTIVE_MINUTES = -1
    open_session, stored = make_session(), set_stored()
    set_status(make_session(), S.EXPIRED)

    assert found("expiry=never") == {open_session.pk, stored.pk}


def test_expires_within_counts_minutes_from_now(settings: Any) -> None:
    settings.UPLOAD_SESSION_EXPIRE_AFTER_INACTIVE_MINUTES = 60
    near = silent_for(make_session(), 50)
    silent_for(make_session(), 30), silent_for(make_session(), 61)

    assert found("expires_within=15") == {near.pk}


def test_owner_is_the_user_name_in_any_case() -> None:
    mine = make_session(user=make_user("ada"))
    make_session(user=make_user("adam"))

    assert found("owner=ADA") == {mine.pk}


def test_the_end_day_belongs_to_the_range_in_the_local_time_zone() -> None:
    session = make_session()
    # 23:30 on 5 March in Tokyo.
    session.started_at = datetime(2026, 3, 5, 14, 30, tzinfo=UTC)
    session.save()

    with timezone.override("Asia/Tokyo"):
        assert found("started_before=2026-03-05") == {session.pk}
        assert found("started_before=2026-03-04") == set()
        assert found("started_after=2026-03-05") == {session.pk}
        assert found("started_after=2026-03-06") == set()


def test_last_interaction_is_filtered_by_days_too() -> None:
    session = silent_for(make_session(), 3 * 24 * 60)
    day = timezone.localdate(session.last_upload_interaction_time)
    make_session()

    query = f"interaction_after={day}&interaction_before={day}"

    assert found(query) == {session.pk}


@pytest.mark.parametrize(
    ("text", "size_bytes"),
    [
        ("0", 0),
        ("1500", 1500),
        ("20 MB", 20_000_000),
        ("1.5gb", 1_500_000_000),
        ("1,5 kB", 1500),
        ("", None),
    ],
)
def test_a_size_is_bytes_or_has_a_unit(text: str, size_bytes: int | None) -> None:
    assert SizeField(required=False).clean(text) == size_bytes


def test_sizes_bound_the_stored_total() -> None:
    small = make_session(S.UPLOADING, {"a.txt": b"x" * 10})
    large = make_session(S.UPLOADING, {"a.txt": b"x" * 2000})

    assert found("size_min=2 kB") == {large.pk}
    assert found("size_max=1999") == {small.pk}


@pytest.mark.parametrize("length", [4, 8, 13, 36])
def test_search_finds_a_session_by_its_uuid_or_the_beginning(length: int) -> None:
    session = make_session()

    assert session.pk in found(f"q={str(session.uuid)[:length]}")
    assert session.pk in found(f"q={session.uuid.hex.upper()[:length]}")


@pytest.mark.parametrize("phrase", ["ada", "Ada Love", "lovelace ada", "LACE"])
def test_search_finds_the_owner_by_any_name(phrase: str) -> None:
    user = make_user("ada", first_name="Ada", last_name="Lovelace")
    session = make_session(user=user)
    make_session(user=make_user("grace"))

    assert found(f"q={phrase}") == {session.pk}


def test_search_finds_a_file_once_however_many_match() -> None:
    session = make_session(S.UPLOADING, {"map 1.txt": b"1", "map 2.txt": b"2"})
    rows = strict(SessionFilter, QueryDict("q=map"), UploadSession.objects.all())

    assert [row.pk for row in rows] == [session.pk]
    assert not rows.query.distinct


def test_search_finds_permanent_files() -> None:
    session = make_session(S.STORED, {"ledger.txt": b"1"})

    assert found("q=LEDGER") == {session.pk}


def test_search_finds_titles_and_accession_numbers() -> None:
    draft, done = make_session(), make_session()
    InProgressSubmission.objects.create(title="Parish maps", upload_session=draft)
    Submission.objects.create(
        title="Parish books", accession_number="2026-7", upload_session=done
    )

    assert found("q=parish") == {draft.pk, done.pk}
    assert found("q=2026-7") == {done.pk}


def test_search_never_finds_by_token() -> None:
    session = make_session()

    assert found(f"q={session.token}") == set()


def test_wildcards_of_the_database_are_plain_letters() -> None:
    make_session(S.UPLOADING, {"a.txt": b"1"})

    assert found("q=%25") == set()
    assert found("q=_.txt") == set()


@pytest.mark.parametrize(
    ("query", "name"),
    [
        ("created_min=junk", "created_min"),
        ("user__password__startswith=a", "user__password__startswith"),
        ("_connector=OR", "_connector"),
        ("status=XX", "status"),
        ("expiry=later", "expiry"),
        ("expires_within=-1", "expires_within"),
        ("expires_within=1e30", "expires_within"),
        ("started_after=2026-02-30", "started_after"),
        ("started_before=9999-12-31", "started_before"),
        ("started_after=0001-01-01", "started_after"),
        ("size_min=lots", "size_min"),
        ("size_max=999999999 TB", "size_max"),
        ("q=a%00b", "q"),
        ("q=" + "x" * 100_000, "q"),
        ("owner=" + "x" * 100_000, "owner"),
    ],
)
def test_strict_refuses_and_names_what_it_does_not_understand(
    query: str, name: str
) -> None:
    with pytest.raises(FilterRefused) as refused:
        found(query)

    assert list(refused.value.problems) == [name]
    assert refused.value.code == "filter_refused"


def test_strict_passes_over_what_the_caller_takes_itself() -> None:
    session = make_session()
    rows = strict(
        SessionFilter, QueryDict("page=2"), UploadSession.objects.all(), ["page"]
    )

    assert list(rows) == [session]


def test_jobs_are_found_by_kind_state_and_session() -> None:
    session = make_session(S.UPLOADING)
    job = make_job(session, JobKind.STORE, requester=make_user("ada"))
    query = f"kind=store&state=queued&requester=ada&q={session.uuid}"

    assert list(strict(JobFilter, QueryDict(query), Job.objects.all())) == [job]
    assert not strict(JobFilter, QueryDict("kind=copy"), Job.objects.all())
    assert not strict(JobFilter, QueryDict("requester=eve"), Job.objects.all())


def test_a_persons_jobs_are_found_without_a_join() -> None:
    make_user("ada")

    jobs = strict(JobFilter, QueryDict("requester=ADA"), Job.objects.all())

    assert "JOIN" not in str(jobs.query)
