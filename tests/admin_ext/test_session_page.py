"""The page of one session: what it shows, to whom, and at what cost."""

import re
from typing import Any

import pytest
from django.urls import reverse

from portal.models import User
from tests.make import make_destination, make_job, make_session
from tests.people import ClientFor
from upload import jobs, tasks
from upload.models import Job, SessionEvent, UploadSession
from upload.states import JobKind, SessionStatus

S = SessionStatus


def url_of(session: UploadSession) -> str:
    return reverse("admin:upload_uploadsession_change", args=[session.pk])


def url_to(session: UploadSession, verb: str) -> str:
    return reverse("admin:upload_uploadsession_verb", args=[session.pk, verb])


def token_url(session: UploadSession) -> str:
    return reverse("admin:upload_uploadsession_token", args=[session.pk])


def verbs_offered(page: str) -> set[str]:
    return set(re.findall(r'/do/(\w+)/"', page))


@pytest.mark.parametrize(
    ("status", "verbs"),
    [
        (S.CREATED, {"expire"}),
        (S.UPLOADING, {"expire", "store", "remove"}),
        (S.COPYING_IN_PROGRESS, set()),
        (S.STORED, {"copy", "remove"}),
        (S.COPYING_FAILED, {"store", "remove"}),
        (S.REMOVING_IN_PROGRESS, set()),
        (S.EXPIRED, set()),
    ],
)
def test_a_clerk_is_offered_the_verbs_that_are_legal_now(
    status: SessionStatus, verbs: set[str], clerk: User, client_for: ClientFor
) -> None:
    session = make_session(status)

    page = client_for(clerk).get(url_of(session)).content.decode()

    assert verbs_offered(page) == verbs


@pytest.mark.parametrize("status", list(SessionStatus))
def test_an_auditor_is_offered_nothing(
    status: SessionStatus, auditor: User, client_for: ClientFor
) -> None:
    page = client_for(auditor).get(url_of(make_session(status))).content.decode()

    assert verbs_offered(page) == set()
    assert "/token/" not in page


def test_no_verb_is_offered_while_a_job_waits(
    clerk: User, client_for: ClientFor
) -> None:
    session = make_session(S.UPLOADING)
    job = jobs.request(session, JobKind.STORE, clerk)

    page = client_for(clerk).get(url_of(session)).content.decode()

    assert verbs_offered(page) == set()
    assert reverse("admin:upload_job_progress", args=[job.pk]) in page


def test_a_failed_job_offers_a_retry(clerk: User, client_for: ClientFor) -> None:
    session = make_session(S.COPYING_FAILED)
    make_job(session, JobKind.STORE, state="failed")

    page = client_for(clerk).get(url_of(session)).content.decode()

    assert "retry" in verbs_offered(page)


def test_a_verb_previews_by_get_and_is_done_by_a_confirmed_post(
    clerk: User, client_for: ClientFor
) -> None:
    session, client = make_session(S.UPLOADING), client_for(clerk)

    preview = client.get(url_to(session, "store"))
    assert (preview.status_code, Job.objects.count()) == (200, 0)
    answer = client.post(url_to(session, "store"), {"confirm": "1"})

    assert answer["Location"] == url_of(session)
    assert Job.objects.get().kind == JobKind.STORE


def test_a_verb_needs_its_permission(auditor: User, client_for: ClientFor) -> None:
    session = make_session(S.UPLOADING)

    answer = client_for(auditor).post(url_to(session, "store"), {"confirm": "1"})

    assert (answer.status_code, Job.objects.count()) == (403, 0)


def test_an_unknown_verb_is_not_found(clerk: User, client_for: ClientFor) -> None:
    answer = client_for(clerk).post(url_to(make_session(), "erase"), {"confirm": "1"})

    assert answer.status_code == 404


def test_a_verb_on_a_session_that_one_may_not_see_is_not_found(
    uploader: User, other_uploader: User, client_for: ClientFor
) -> None:
    session = make_session(S.UPLOADING, user=other_uploader)
    User.objects.filter(pk=uploader.pk).update(is_staff=True)

    answers = [
        client_for(uploader).post(url)
        for url in (url_to(session, "store"), token_url(session))
    ]

    assert [answer.status_code for answer in answers] == [404, 404]


@pytest.mark.parametrize("field", ["status", "token", "user", "uuid", "total_files"])
def test_a_forged_form_changes_nothing(
    field: str, superuser: User, client_for: ClientFor
) -> None:
    session = make_session(S.UPLOADING)
    before = UploadSession.objects.filter(pk=session.pk).values().get()

    answer = client_for(superuser).post(url_of(session), {field: "SD", "_save": "1"})

    assert answer.status_code == 403
    assert UploadSession.objects.filter(pk=session.pk).values().get() == before


def test_the_token_is_on_no_page_that_is_only_looked_at(
    clerk: User, client_for: ClientFor
) -> None:
    session, client = make_session(S.UPLOADING), client_for(clerk)

    pages = [client.get(url_of(session)), client.get(token_url(session))]

    assert [page.status_code for page in pages] == [200, 405]
    assert not any(session.token in page.content.decode() for page in pages)


def test_a_clerk_sees_the_token_by_post_and_no_cache_keeps_it(
    clerk: User, client_for: ClientFor
) -> None:
    session = make_session(S.UPLOADING)

    page = client_for(clerk).post(token_url(session))

    assert session.token in page.content.decode()
    assert "no-store" in page["Cache-Control"]


@pytest.mark.parametrize("person", ["auditor", "manager"])
def test_who_may_not_upload_sees_no_token(
    person: str, request: pytest.FixtureRequest, client_for: ClientFor
) -> None:
    client = client_for(request.getfixturevalue(person))
    session = make_session()

    answer = client.post(token_url(session), {"renew": "1"})

    assert answer.status_code == 403
    assert UploadSession.objects.get().token == session.token


def test_renewing_the_token_ends_the_old_one_and_writes_neither(
    clerk: User, client_for: ClientFor
) -> None:
    session = make_session(S.UPLOADING)

    page = client_for(clerk).post(token_url(session), {"renew": "1"}).content.decode()

    renewed = UploadSession.objects.get().token
    assert renewed != session.token
    assert renewed in page
    event = SessionEvent.objects.get(code="upload.session.token_renewed")
    told = f"{event.reason}{event.detail}{event.actor_name}"
    assert (event.actor, renewed in told, session.token in told) == (
        clerk,
        False,
        False,
    )


def test_a_closed_session_shows_no_token(clerk: User, client_for: ClientFor) -> None:
    session = make_session(S.STORED)

    answer = client_for(clerk).post(token_url(session), {"renew": "1"})

    assert answer["Location"] == url_of(session)
    assert UploadSession.objects.get().token == session.token


@pytest.mark.django_db(transaction=True)
def test_a_copied_session_shows_its_job_its_copies_and_its_events(
    storages_in_tmp: Any, clerk: User, client_for: ClientFor
) -> None:
    session = make_session(S.STORED)
    place = make_destination(storages_in_tmp / "destinations" / "box", "Box <1>")
    job = jobs.request(session, JobKind.COPY, clerk, destination=place)
    tasks.run_job(job.pk)

    page = client_for(clerk).get(url_of(session)).content.decode()

    assert reverse("admin:upload_job_change", args=[job.pk]) in page
    assert "Copies at destinations" in page
    assert "Box &lt;1&gt;" in page
    assert "Copy requested" in page
