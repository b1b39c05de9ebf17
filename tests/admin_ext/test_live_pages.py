"""In Chromium: a job's page keeps itself current, and copy buttons copy."""

import pytest
from django.urls import reverse
from django.utils import timezone

from portal.models import User
from tests.browsing import PageFor
from tests.make import make_job, make_session
from upload.models import Job
from upload.states import JobKind, JobState, SessionStatus

pytestmark = pytest.mark.django_db(transaction=True)


def running_job() -> Job:
    session = make_session(SessionStatus.UPLOADING)
    return make_job(session, JobKind.STORE, state="running", files_total=10)


def test_the_page_of_a_running_job_follows_it_to_its_end(
    clerk: User, page_for: PageFor
) -> None:
    job, page = running_job(), page_for(clerk)
    page.goto(reverse("admin:upload_job_change", args=[job.pk]))

    Job.objects.filter(pk=job.pk).update(files_done=9)
    page.wait_for_function("document.querySelector('progress').value === 90")
    ended = {"state": JobState.SUCCEEDED, "finished_at": timezone.now()}
    Job.objects.filter(pk=job.pk).update(**ended)

    page.locator("#job-state", has_text="Succeeded").wait_for()
    assert page.locator("[data-job-progress-url]").count() == 0
    assert page.locator("#job-buttons").count() == 0


def test_the_progress_bars_of_the_session_list_follow_their_jobs(
    clerk: User, page_for: PageFor
) -> None:
    job, page = running_job(), page_for(clerk)
    page.goto(reverse("admin:upload_uploadsession_changelist"))

    Job.objects.filter(pk=job.pk).update(files_done=3)

    page.locator("[data-job-state]", has_text="30 %").wait_for()


def test_an_access_url_is_copied_in_full(clerk: User, page_for: PageFor) -> None:
    session = make_session(SessionStatus.UPLOADING)
    path = session.tempuploadedfile_set.earliest("pk").get_file_access_url()
    page = page_for(clerk, permissions=["clipboard-read", "clipboard-write"])
    page.goto(reverse("admin:upload_uploadsession_change", args=[session.pk]))

    page.get_by_role("button", name="Copy the access URL").first.click()

    page.get_by_role("button", name="Copied").wait_for()
    copied = page.evaluate("navigator.clipboard.readText()")
    assert copied.startswith("http://")
    assert copied.endswith(path)
