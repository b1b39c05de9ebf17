"""In Chromium: a job's page keeps itself current, and copy buttons copy."""

import pytest
from django.urls import reverse
from django.utils import timezone

from portal.models import User
from tests.browsing import PageFor
from tests.make import make_job, make_session, make_user
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


@pytest.mark.parametrize("name", ["index", "upload_uploadsession_changelist"])
def test_dashboard_and_list_renew_themselves(
    name: str, clerk: User, page_for: PageFor
) -> None:
    make_session()
    page = page_for(clerk)
    page.clock.install()
    page.goto(reverse(f"admin:{name}"))

    session = make_session(SessionStatus.STORED, user=make_user("ada"))
    make_job(session, JobKind.COPY, state="running", files_total=10)
    page.clock.run_for(31_000)

    page.locator("[data-renew] progress").wait_for()
    if name != "index":
        page.locator("#action-toggle").check()
        assert page.locator("input.action-select:checked").count() == 2


def test_a_hidden_tab_asks_for_nothing(clerk: User, page_for: PageFor) -> None:
    page = page_for(clerk)
    page.clock.install()
    page.goto(reverse("admin:index"))
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.resource_type))

    page.evaluate(
        "Object.defineProperty(document, 'hidden', { get: () => true });"
        "document.dispatchEvent(new Event('visibilitychange'));"
    )
    page.clock.run_for(600_000)

    assert "fetch" not in asked


def test_a_chosen_session_stays_chosen(clerk: User, page_for: PageFor) -> None:
    make_session()
    page = page_for(clerk)
    page.clock.install()
    page.goto(reverse("admin:upload_uploadsession_changelist"))
    box = page.locator("#result_list tbody input.action-select").first
    box.check()

    page.clock.run_for(120_000)

    assert box.is_checked()
