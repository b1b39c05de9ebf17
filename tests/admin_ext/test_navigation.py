"""The sidebar and the look: what one may open, and no inline script."""

from typing import Any

import pytest
from django.conf import settings as portal_settings
from django.test import RequestFactory
from django.urls import reverse
from django.utils.module_loading import import_string

from admin_ext.navigation import sidebar
from portal.models import User
from tests.admin_ext.pages import admin_url
from tests.make import make_job, make_session
from tests.people import ClientFor
from upload import jobs
from upload.models import (
    Job,
    UploadSession,
)
from upload.states import JobKind, SessionStatus

S = SessionStatus


@pytest.mark.parametrize(
    ("person", "sees", "hidden"),
    [
        ("clerk", "Upload sessions", "Destinations"),
        ("auditor", "Destinations", "Schedules"),
        ("superuser", "Queue health", "nothing at all"),
    ],
)
def test_the_sidebar_shows_what_one_may_open(
    person: str,
    sees: str,
    hidden: str,
    request: pytest.FixtureRequest,
    client_for: ClientFor,
) -> None:
    page = client_for(request.getfixturevalue(person)).get(reverse("admin:index"))

    titles = [
        str(item["title"])
        for group in page.context["sidebar_navigation"]
        for item in group["items"]
    ]
    assert sees in titles
    assert hidden not in titles


def test_the_sidebar_counts_removals_that_wait_for_the_manager(
    clerk: User, manager: User, client_for: ClientFor
) -> None:
    jobs.request(make_session(S.STORED), JobKind.REMOVE, clerk, reason="old")

    page = client_for(manager).get(reverse("admin:index"))

    items = [i for g in page.context["sidebar_navigation"] for i in g["items"]]
    assert [i["badge"] for i in items if "badge" in i] == [1]


@pytest.mark.parametrize(
    ("page", "title"),
    [
        ("/admin/upload/job/", "Jobs"),
        ("/admin/upload/job/1/change/", "Jobs"),
        ("/admin/upload/job/approvals/", "Removals to approve"),
        ("/admin/", None),
    ],
)
def test_the_sidebar_marks_one_entry(
    rf: RequestFactory, superuser: User, page: str, title: str | None
) -> None:
    request = rf.get(page)
    request.user = superuser

    items = [item for group in sidebar(request) for item in group["items"]]

    marked = [str(item["title"]) for item in items if item["active"]]
    assert marked == ([title] if title else [])


def test_on_the_removals_to_approve_the_jobs_are_not_marked(
    manager: User, client_for: ClientFor
) -> None:
    page = client_for(manager).get(reverse("admin:upload_job_approvals"))

    items = [i for g in page.context["sidebar_navigation"] for i in g["items"]]
    marked = [str(item["title"]) for item in items if item["active"]]
    assert marked == ["Removals to approve"]


def dotted_paths(value: Any) -> list[str]:
    if isinstance(value, dict):
        return [path for item in value.values() for path in dotted_paths(item)]
    if isinstance(value, list | tuple):
        return [path for item in value for path in dotted_paths(item)]
    return [value] if str(value).startswith("admin_ext.") else []


def test_each_dotted_path_of_the_look_can_be_imported() -> None:
    paths = dotted_paths(portal_settings.UNFOLD)

    assert paths
    assert all(callable(import_string(path)) for path in paths)


def test_the_environment_is_told_beside_the_title(
    settings: Any, superuser: User, client_for: ClientFor
) -> None:
    settings.ENVIRONMENT_LABEL = "Rehearsal"

    page = client_for(superuser).get(reverse("admin:index")).content.decode()

    assert "Rehearsal" in page


def test_our_pages_have_no_inline_script(clerk: User, client_for: ClientFor) -> None:
    session = make_session(S.UPLOADING)
    job = make_job(session, JobKind.STORE)
    client = client_for(clerk)

    for model, row in ((UploadSession, session), (Job, job)):
        page = client.get(admin_url(model, "change", row.pk)).content.decode()
        assert "<script>" not in page
        assert " onclick=" not in page


@pytest.mark.parametrize("page", ["zz", "0", "2", "%00"])
def test_the_search_of_pages_has_one_page(
    client_for: ClientFor, clerk: User, page: str
) -> None:
    client = client_for(clerk)

    assert client.get(f"/admin/search/?s=session&page={page}").status_code == 404
    assert client.get("/admin/search/?s=session&page=1").status_code == 200
