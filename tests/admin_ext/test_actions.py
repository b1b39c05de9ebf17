"""Bulk actions: the preview, the confirmed deed, the counted report."""

from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import Permission
from django.contrib.messages import get_messages

from admin_ext.verbs import BULK_VERBS
from tests.admin_ext.choosing import LIST, choose, confirm, texts
from tests.make import make_destination, make_job, make_session, make_user
from tests.people import make_person
from upload import jobs
from upload.models import Job, UploadSession
from upload.states import JobKind, JobState, SessionStatus, Verb

pytestmark = pytest.mark.django_db
S = SessionStatus


def copies_asked() -> bool:
    return Job.objects.filter(kind=JobKind.COPY).exists()


def test_the_preview_counts_sessions_files_and_bytes(
    clerk: Any, client_for: Any
) -> None:
    some = make_session(S.UPLOADING, {"a.txt": b"123", "b.txt": b"4567"})
    more = make_session(S.UPLOADING, {"a.txt": b"12345"})
    stored = make_session(S.STORED)

    preview = choose(client_for(clerk), "store_sessions", some, more, stored)
    seen = preview.context["seen"]

    assert (len(seen.ready), seen.files, seen.size_bytes) == (2, 3, 12)
    assert [skip.session for skip in seen.skipped] == [stored]
    assert "Stored" in seen.skipped[0].reason


def test_the_preview_names_the_job_that_is_in_the_way(
    clerk: Any, client_for: Any
) -> None:
    session = make_session(S.UPLOADING)
    job = make_job(session, JobKind.STORE)

    preview = choose(client_for(clerk), "expire_sessions", session)

    assert str(job.uuid) in preview.context["seen"].skipped[0].reason
    assert 'name="confirm"' not in preview.content.decode()


def test_a_mixed_choice_is_done_where_it_can_be_and_told_where_not(
    clerk: Any, client_for: Any
) -> None:
    good, bad = make_session(S.UPLOADING), make_session(S.EXPIRED)

    said = texts(confirm(client_for(clerk), "store_sessions", good, bad))

    assert "1 session queued to be stored." in said
    assert "1 session skipped." in said and str(bad.uuid) in said
    assert Job.objects.get().session == good


def test_what_changed_since_the_preview_is_skipped(clerk: Any, client_for: Any) -> None:
    session = make_session(S.UPLOADING)
    client = client_for(clerk)
    choose(client, "store_sessions", session)
    session.expire()

    assert "1 session skipped." in texts(confirm(client, "store_sessions", session))
    assert not Job.objects.exists()


def test_one_session_that_fails_stops_no_other(
    clerk: Any, client_for: Any, storages_in_tmp: Path
) -> None:
    """The folder of the destination is gone: each copy fails by itself."""
    sessions = [make_session(S.STORED), make_session(S.STORED)]
    folder = storages_in_tmp / "destinations" / "archive"
    answer = {"destination": make_destination(folder).pk}
    folder.rename(storages_in_tmp / "gone")

    said = texts(confirm(client_for(clerk), "copy_sessions", *sessions, **answer))

    assert "2 sessions failed." in said
    assert {s.status for s in UploadSession.objects.all()} == {S.STORED}


def test_expire_deletes_at_once_and_tells_who(clerk: Any, client_for: Any) -> None:
    session = make_session(S.UPLOADING)

    confirm(client_for(clerk), "expire_sessions", session)

    session.refresh_from_db()
    assert session.status == S.EXPIRED
    assert session.event_set.first().actor == clerk


def test_copy_asks_for_a_destination(clerk: Any, client_for: Any) -> None:
    response = confirm(client_for(clerk), "copy_sessions", make_session(S.STORED))

    assert "destination" in response.context["form"].errors
    assert not copies_asked()


def test_copy_refuses_a_destination_that_is_not_enabled(
    clerk: Any, client_for: Any, storages_in_tmp: Path
) -> None:
    closed = make_destination(storages_in_tmp / "destinations" / "closed")
    closed.enabled = False
    closed.save()
    session = make_session(S.STORED)

    confirm(client_for(clerk), "copy_sessions", session, destination=closed.pk)

    assert not copies_asked()


@pytest.mark.parametrize("reason", ["", "   "])
def test_remove_asks_for_a_reason(clerk: Any, client_for: Any, reason: str) -> None:
    session = make_session(S.UPLOADING)

    response = confirm(client_for(clerk), "remove_sessions", session, reason=reason)

    assert "reason" in response.context["form"].errors
    assert not Job.objects.exists()


def test_removing_stored_files_says_that_it_waits_for_a_second_person(
    clerk: Any, client_for: Any, settings: Any
) -> None:
    settings.REMOVAL_NEEDS_APPROVAL = True
    session, client = make_session(S.STORED), client_for(clerk)

    preview = choose(client, "remove_sessions", session)
    done = confirm(client, "remove_sessions", session, reason="Sent twice")

    assert "second person" in " ".join(preview.context["notes"])
    told = [str(message) for message in get_messages(done.wsgi_request)]
    assert told == ["1 removal waits until a second person approves it."]
    job = jobs.active_job(session)
    assert job is not None
    assert (job.state, job.reason) == (JobState.AWAITING_APPROVAL, "Sent twice")


def test_retry_takes_the_right_to_do_what_failed(client_for: Any) -> None:
    person = make_person("storer")
    names = ["view_uploadsession", "store_uploadsession"]
    person.user_permissions.set(Permission.objects.filter(codename__in=names))
    session = make_session(S.STORED)
    make_job(session, JobKind.COPY, state=JobState.FAILED)

    seen = choose(client_for(person), "retry_sessions", session).context["seen"]

    assert not seen.ready
    assert "copy_uploadsession" in seen.skipped[0].reason


def test_retry_skips_what_did_not_fail(clerk: Any, client_for: Any) -> None:
    seen = choose(
        client_for(clerk), "retry_sessions", make_session(S.UPLOADING)
    ).context["seen"]

    assert "nothing to retry" in seen.skipped[0].reason


def test_all_pages_are_those_of_the_filter(clerk: Any, client_for: Any) -> None:
    one, two = make_session(S.UPLOADING), make_session(S.UPLOADING)
    make_session(S.CREATED)
    data = {"action": "expire_sessions", "select_across": "1", "index": "0"}

    preview = client_for(clerk).post(
        f"{LIST}?status=UG", data | {"_selected_action": one.pk}
    )

    assert {s.pk for s in preview.context["seen"].ready} == {one.pk, two.pk}
    assert "select_across" not in preview.content.decode()


def test_sessions_that_may_not_be_seen_are_counted_and_left_alone(
    client_for: Any,
) -> None:
    person = make_person("own_expirer")
    names = ["view_own_uploadsession", "expire_uploadsession"]
    person.user_permissions.set(Permission.objects.filter(codename__in=names))
    other = make_session(user=make_user("ada"))

    said = texts(confirm(client_for(person), "expire_sessions", other))

    assert "not yours to see" in said and str(other.uuid) not in said
    assert UploadSession.objects.get().status == S.CREATED


@pytest.mark.parametrize("junk", ["abc", "-1", "9" * 40, "1 OR 1=1", "١"])
def test_ids_that_are_none_change_nothing(
    clerk: Any, client_for: Any, junk: str
) -> None:
    make_session()
    client = client_for(clerk)
    data = {"action": "expire_sessions", "_selected_action": junk, "index": "0"}

    assert "could not be read" in texts(client.get(client.post(LIST, data).url))
    assert UploadSession.objects.get().status == S.CREATED


def test_confirming_twice_asks_for_one_job(clerk: Any, client_for: Any) -> None:
    session, client = make_session(S.UPLOADING), client_for(clerk)

    confirm(client, "store_sessions", session)
    said = texts(confirm(client, "store_sessions", session))

    assert "1 session skipped." in said
    assert jobs.active_job(session) == Job.objects.get()


def test_each_verb_names_a_permission_of_the_policy() -> None:
    assert set(BULK_VERBS) == set(Verb) - {Verb.UPLOAD, Verb.REMOVE_FILE}
    for row in BULK_VERBS.values():
        assert row.permission.startswith("upload.")
        assert row.action == f"{row.verb.value}_sessions"


def test_a_skip_reason_is_shown_as_text(clerk: Any, client_for: Any) -> None:
    owner = make_user("<b>ada</b>")
    session = make_session(S.UPLOADING, user=owner)

    page = choose(client_for(clerk), "store_sessions", session).content.decode()

    assert "<b>ada</b>" not in page
