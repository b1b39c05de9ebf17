"""Many removals decided at once by a second person, and what certificates keep."""

import json
from typing import Any

import pytest

from tests.make import make_session, run
from tests.people import ClientFor, make_person
from upload import jobs
from upload.models import Job, RemovalCertificate
from upload.states import JobKind, JobState, SessionStatus

URL = "/admin/upload/job/approvals/"
on_real_commits = pytest.mark.django_db(transaction=True)


def asked_by(person: Any) -> Job:
    session = make_session(SessionStatus.STORED)
    return jobs.request(session, JobKind.REMOVE, person, reason="Sent twice")


def states(*rows: Job) -> list[str]:
    found = Job.objects.filter(pk__in=[row.pk for row in rows]).order_by("pk")
    return [str(state) for state in found.values_list("state", flat=True)]


@pytest.mark.django_db
def test_a_manager_approves_many_at_once(
    clerk: Any, manager: Any, client_for: ClientFor
) -> None:
    first, second, left = asked_by(clerk), asked_by(clerk), asked_by(clerk)

    client_for(manager).post(URL, {"job": [first.pk, second.pk], "approve": "1"})

    waiting = JobState.AWAITING_APPROVAL
    assert states(first, second, left) == [JobState.QUEUED, JobState.QUEUED, waiting]


@pytest.mark.django_db
def test_a_refusal_needs_a_reason_and_keeps_the_files(
    clerk: Any, manager: Any, client_for: ClientFor
) -> None:
    job = asked_by(clerk)
    client = client_for(manager)

    client.post(URL, {"job": [job.pk], "decline": "1", "reason": " "})
    assert states(job) == [JobState.AWAITING_APPROVAL]

    client.post(URL, {"job": [job.pk], "decline": "1", "reason": "Still needed"})
    job.refresh_from_db()
    assert job.session is not None
    assert (job.session.status, job.has_ended) == (SessionStatus.STORED, True)
    assert "Still needed" in job.error


@pytest.mark.django_db
def test_nobody_approves_what_they_asked_for(client_for: ClientFor) -> None:
    both = make_person("both", "Records staff", "Managers")
    job = asked_by(both)

    client_for(both).post(URL, {"job": [job.pk], "approve": "1"})

    assert states(job) == [JobState.AWAITING_APPROVAL]


@pytest.mark.django_db
@pytest.mark.parametrize("role", ["clerk", "auditor", "nobody"])
def test_others_decide_nothing(
    superuser: Any, request: Any, client_for: ClientFor, role: str
) -> None:
    job = asked_by(superuser)
    client = client_for(request.getfixturevalue(role))

    assert client.post(URL, {"job": [job.pk], "approve": "1"}).status_code == 403
    assert states(job) == [JobState.AWAITING_APPROVAL]


@on_real_commits
def test_a_certificate_stays_when_files_and_session_are_gone(
    clerk: Any, manager: Any, client_for: ClientFor
) -> None:
    job = asked_by(clerk)
    client = client_for(manager)
    client.post(URL, {"job": [job.pk], "approve": "1"})
    run(job)

    kept = RemovalCertificate.objects.get()
    answer = client.get(f"/admin/upload/removalcertificate/{kept.pk}/json/")

    told = json.loads(answer.getvalue())
    assert [file["name"] for file in told["removed"]] == ["a.txt", "b.pdf"]
    assert (told["asked_by"], told["approved_by"]) == ("clerk", "manager")
    assert (told["reason"], told["complete"]) == ("Sent twice", True)


@on_real_commits
def test_a_certificate_can_be_read_and_printed(
    clerk: Any, manager: Any, client_for: ClientFor
) -> None:
    job = asked_by(clerk)
    jobs.approve(job, manager)
    run(job)
    page = f"/admin/upload/removalcertificate/{RemovalCertificate.objects.get().pk}/"

    shown = client_for(clerk).get(f"{page}change/").content.decode()
    printed = client_for(clerk).get(f"{page}print/").getvalue().decode()

    assert "Sent twice" in shown
    assert "a.txt" in printed
