"""The pages of jobs: live figures, items, and what may be asked of a job."""

from typing import Any

import pytest
from django.urls import reverse

from portal.models import User
from tests.make import make_job, make_session
from tests.people import ClientFor
from upload import jobs
from upload.models import Job, JobItem
from upload.states import (
    ACTIVE_JOB_STATES,
    ItemOutcome,
    JobKind,
    JobState,
    SessionStatus,
)

S = SessionStatus


def page_url(job: Job) -> str:
    return reverse("admin:upload_job_change", args=[job.pk])


def ask_url(job: Job, ask: str) -> str:
    return reverse("admin:upload_job_ask", args=[job.pk, ask])


def progress_url(job: Job) -> str:
    return reverse("admin:upload_job_progress", args=[job.pk])


def store_job(**values: Any) -> Job:
    return make_job(make_session(S.UPLOADING), JobKind.STORE, **values)


def state_of(job: Job) -> str:
    job.refresh_from_db()
    return job.state


def removal_that_waits(person: User) -> Job:
    return jobs.request(make_session(S.STORED), JobKind.REMOVE, person, reason="old")


def test_the_figures_of_a_running_job_are_never_cached(
    auditor: User, client_for: ClientFor
) -> None:
    job = store_job(state="running", files_total=4, files_done=1, bytes_total=0)

    answer = client_for(auditor).get(progress_url(job))

    figures = answer.json()
    assert (figures["percent"], figures["ended"]) == (25, False)
    assert figures["texts"]["files"] == "1 of 4"
    assert "no-store" in answer["Cache-Control"]


@pytest.mark.parametrize("state", ACTIVE_JOB_STATES)
def test_an_active_job_has_not_ended(
    state: JobState, auditor: User, client_for: ClientFor
) -> None:
    answer = client_for(auditor).get(progress_url(store_job(state=state)))

    assert answer.json()["ended"] is False


def test_the_figures_need_permission_and_get(
    nobody: User, auditor: User, client: Any, client_for: ClientFor
) -> None:
    url = progress_url(store_job())

    answers = [
        client_for(nobody).get(url).status_code,
        client_for(auditor).post(url).status_code,
        client.get(url).status_code,
        client_for(auditor).get(url.replace("/job/", "/job/9")).status_code,
    ]

    assert answers == [403, 405, 302, 404]


def test_a_clerk_cancels_a_waiting_job(clerk: User, client_for: ClientFor) -> None:
    job, client = store_job(), client_for(clerk)

    page = client.get(page_url(job)).content.decode()
    answer = client.post(ask_url(job, "cancel"))

    assert ask_url(job, "cancel") in page
    assert answer["Location"] == page_url(job)
    assert state_of(job) == JobState.CANCELLED


@pytest.mark.parametrize("ask", ["cancel", "retry", "approve"])
def test_nothing_is_asked_by_get(
    ask: str, superuser: User, client_for: ClientFor
) -> None:
    job = store_job()

    answer = client_for(superuser).get(ask_url(job, ask))

    assert (answer.status_code, state_of(job)) == (405, JobState.QUEUED)


@pytest.mark.parametrize(("ask", "state"), [("cancel", "queued"), ("retry", "failed")])
def test_an_auditor_asks_nothing_of_a_job(
    ask: str, state: str, auditor: User, client_for: ClientFor
) -> None:
    job, client = store_job(state=state), client_for(auditor)

    page = client.get(page_url(job)).content.decode()
    answer = client.post(ask_url(job, ask))

    assert "/ask/" not in page
    assert (answer.status_code, Job.objects.count()) == (403, 1)
    assert state_of(job) == state


def test_a_manager_approves_a_removal(
    clerk: User, manager: User, client_for: ClientFor
) -> None:
    job, client = removal_that_waits(clerk), client_for(manager)

    page = client.get(page_url(job)).content.decode()
    client.post(ask_url(job, "approve"))

    assert ask_url(job, "approve") in page
    assert state_of(job) == JobState.QUEUED
    assert job.approver == manager


def test_who_asked_for_a_removal_may_not_approve_it(
    superuser: User, client_for: ClientFor
) -> None:
    job, client = removal_that_waits(superuser), client_for(superuser)

    page = client.get(page_url(job)).content.decode()
    answer = client.post(ask_url(job, "approve"))

    assert ask_url(job, "approve") not in page
    assert (answer.status_code, state_of(job)) == (403, JobState.AWAITING_APPROVAL)


def test_the_second_of_two_approvals_is_told_why_not(
    clerk: User, manager: User, client_for: ClientFor
) -> None:
    job, client = removal_that_waits(clerk), client_for(manager)
    client.post(ask_url(job, "approve"))

    answer = client.post(ask_url(job, "approve"), follow=True)

    assert answer.status_code == 200
    assert "is “Queued”" in answer.content.decode()


def test_cancelling_a_job_that_has_ended_is_told_why_not(
    clerk: User, client_for: ClientFor
) -> None:
    job, client = store_job(state="succeeded"), client_for(clerk)

    page = client.post(ask_url(job, "cancel"), follow=True).content.decode()

    assert "is “Succeeded”" in page
    assert ask_url(job, "cancel") not in page


def test_a_retry_leads_to_the_new_job(clerk: User, client_for: ClientFor) -> None:
    job = store_job(state="failed")

    answer = client_for(clerk).post(ask_url(job, "retry"))

    new = Job.objects.exclude(pk=job.pk).get()
    assert answer["Location"] == page_url(new)
    assert new.state == JobState.QUEUED


def test_a_retry_of_a_busy_session_is_told_why_not(
    clerk: User, client_for: ClientFor
) -> None:
    job = store_job(state="failed")
    make_job(job.session, JobKind.STORE)

    answer = client_for(clerk).post(ask_url(job, "retry"), follow=True)

    assert "already has a job" in answer.content.decode()
    assert Job.objects.count() == 2


def test_an_unknown_ask_is_not_found(superuser: User, client_for: ClientFor) -> None:
    answer = client_for(superuser).post(ask_url(store_job(), "erase"))

    assert answer.status_code == 404


def add_items(job: Job, count: int, **values: Any) -> None:
    JobItem.objects.bulk_create(
        JobItem(job=job, file_uuid=job.uuid, name=f"file {n:04}.tiff", **values)
        for n in range(count)
    )


def test_items_are_shown_by_outcome_and_in_pages(
    auditor: User, client_for: ClientFor
) -> None:
    job, client = store_job(), client_for(auditor)
    add_items(job, 130, outcome=ItemOutcome.DONE)
    add_items(job, 3, outcome=ItemOutcome.FAILED, error="<script>no space</script>")

    first = client.get(page_url(job)).content.decode()
    second = client.get(page_url(job), {"items": "2"}).content.decode()
    failed = client.get(page_url(job), {"outcome": "failed"}).content.decode()

    counts = [page.count(".tiff</bdi>") for page in (first, second, failed)]
    assert counts == [100, 33, 3]
    assert "Done (130)" in first
    assert "&lt;script&gt;no space" in failed


def test_an_error_of_a_job_is_escaped(auditor: User, client_for: ClientFor) -> None:
    job = store_job(state="failed", error="<img src=x onerror=alert(1)>")

    page = client_for(auditor).get(page_url(job)).content.decode()

    assert "<img src=x" not in page
    assert "&lt;img src=x" in page


def test_the_list_of_jobs_costs_the_same_for_few_and_many(
    auditor: User, client_for: ClientFor, django_assert_max_num_queries: Any
) -> None:
    client, url = client_for(auditor), reverse("admin:upload_job_changelist")
    for state in [*JobState, *JobState, *JobState]:
        store_job(state=state, requester=auditor)

    with django_assert_max_num_queries(12):
        page = client.get(url)

    assert page.status_code == 200


@pytest.mark.parametrize("query", ["state=failed", "kind=store", "q=zzz", "state=no"])
def test_the_list_of_jobs_is_filtered(
    query: str, auditor: User, client_for: ClientFor
) -> None:
    store_job(state="failed")
    store_job(state="succeeded")
    url = reverse("admin:upload_job_changelist")

    page = client_for(auditor).get(f"{url}?{query}", follow=True)

    shown = {"state=failed": 1, "kind=store": 2, "q=zzz": 0, "state=no": 2}[query]
    assert page.context["cl"].result_count == shown


def test_jobs_of_others_are_hidden_from_who_sees_own_sessions_only(
    uploader: User, client_for: ClientFor
) -> None:
    job = store_job()
    User.objects.filter(pk=uploader.pk).update(is_staff=True)

    answer = client_for(uploader).get(progress_url(job))

    assert answer.status_code == 403
