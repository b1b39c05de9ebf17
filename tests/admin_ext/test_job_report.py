"""A job's report as a file: who may have it, and how it is sent."""

import csv
import io
import json
from typing import Any

import pytest
from django.contrib.auth.models import Permission
from django.urls import reverse

from portal.models import User
from tests.make import make_job, make_session
from tests.people import ClientFor
from upload.models import Job, JobItem
from upload.states import JobKind, SessionStatus

pytestmark = pytest.mark.django_db
in_each_form = pytest.mark.parametrize("form", ["csv", "json"])


def a_job(count: int = 1) -> Job:
    job = make_job(make_session(SessionStatus.UPLOADING), JobKind.STORE)
    JobItem.objects.bulk_create(
        JobItem(job=job, file_uuid=job.uuid, name=f"=résumé {n}.pdf")
        for n in range(count)
    )
    return job


def report_url(job: Job, form: str) -> str:
    return reverse("admin:upload_job_report", args=[job.pk, form])


def body(answer: Any) -> str:
    return b"".join(answer.streaming_content).decode()


@in_each_form
def test_a_report_is_a_streamed_attachment_that_no_cache_keeps(
    form: str, auditor: User, client_for: ClientFor
) -> None:
    job = a_job()

    answer = client_for(auditor).get(report_url(job, form))

    assert answer.streaming
    assert answer["Content-Disposition"] == (
        f'attachment; filename="job-{job.uuid}.{form}"'
    )
    assert {"no-store", "private"} <= set(answer["Cache-Control"].split(", "))
    assert answer["Content-Type"].startswith(
        {"csv": "text/csv"}.get(form, "application")
    )


def test_the_sheet_has_every_file_and_no_formula(
    auditor: User, client_for: ClientFor
) -> None:
    text = body(client_for(auditor).get(report_url(a_job(3), "csv")))

    rows = list(csv.DictReader(io.StringIO(text.removeprefix("\ufeff"), newline="")))
    assert [row["name"] for row in rows] == [f"'=résumé {n}.pdf" for n in range(3)]


def test_the_json_report_is_one_object(auditor: User, client_for: ClientFor) -> None:
    job = a_job(2)

    report = json.loads(body(client_for(auditor).get(report_url(job, "json"))))

    assert set(report) == {"job", "items", "events"}
    assert report["job"]["uuid"] == str(job.uuid)


def test_events_are_for_who_may_see_events(client_for: ClientFor, nobody: User) -> None:
    for name in ("view_job", "view_uploadsession"):
        nobody.user_permissions.add(Permission.objects.get(codename=name))

    report = json.loads(body(client_for(nobody).get(report_url(a_job(), "json"))))

    assert set(report) == {"job", "items"}


@in_each_form
def test_a_report_needs_the_permission_of_the_page(
    form: str, nobody: User, uploader: User, client: Any, client_for: ClientFor
) -> None:
    url = report_url(a_job(), form)

    codes = [c.get(url).status_code for c in (client_for(nobody), client)]

    assert codes == [403, 302]
    assert client_for(uploader).get(url).status_code == 302


@in_each_form
def test_the_job_of_another_is_not_found_by_who_sees_own_sessions(
    form: str, uploader: User, client_for: ClientFor
) -> None:
    uploader.user_permissions.add(Permission.objects.get(codename="view_job"))
    User.objects.filter(pk=uploader.pk).update(is_staff=True)

    answer = client_for(uploader).get(report_url(a_job(), form))

    assert answer.status_code == 404


def test_an_unknown_form_and_a_post_are_refused(
    superuser: User, client_for: ClientFor
) -> None:
    client, job = client_for(superuser), a_job()

    answers = [
        client.get(report_url(job, "xml")).status_code,
        client.post(report_url(job, "csv")).status_code,
        client.get(report_url(job, "csv").replace("/job/", "/job/9")).status_code,
    ]

    assert answers == [404, 405, 404]


def test_the_page_leads_to_both_reports(auditor: User, client_for: ClientFor) -> None:
    job = a_job()

    page = client_for(auditor).get(f"/admin/upload/job/{job.pk}/change/")

    for form in ("csv", "json"):
        assert report_url(job, form) in page.content.decode()
